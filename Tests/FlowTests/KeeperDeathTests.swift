import Foundation
import Glibc
import Testing

/// The keeper of a network is killed in the middle of a publication: nobody loses anything, and newcomers find another one.
@Suite(.onStage) struct KeeperDeathTests {
    /// Kills the one keeper of a test, and waits for the next.
    private func killKeeper(of scratch: Scratch) async throws {
        let keepers = scratch.keepers()
        try #require(keepers.count == 1, "\(keepers)")
        kill(keepers[0], SIGKILL)
        try await until("another keeper is elected") { scratch.keepers().contains { $0 != keepers[0] } }
    }

    @Test func everybodyGoesOnAndNewcomersJoin() async throws {
        let scratch = try Scratch()
        let publisher = try scratch.ipn("publish", "test:", "net")
        try await until("the network is there") { try await scratch.show("net")?.writers == 1 }
        let recorders = [try scratch.ipn("record", "net", "a.mkv"), try scratch.ipn("record", "net", "b.mp4")]
        try await scratch.awaitReaders(2, "net")
        for round in 0..<3 {
            try await scratch.awaitProgress(of: "a.mkv", by: 60)
            try await killKeeper(of: scratch)
            let late = try scratch.ipn("record", "net", "late\(round).mkv", "--duration", "1")
            try await late.succeeded()
            #expect(try await Recording("late\(round).mkv", in: scratch).packets().first?.isKey == true)
        }
        let status = try #require(try await scratch.show("net"))
        #expect(status.readers == 2 && status.writers == 1 && status.lost == 0)
        publisher.send(SIGINT)
        try await publisher.succeeded()
        for recorder in recorders { try await recorder.succeeded() }
        for name in ["a.mkv", "b.mp4"] {
            let recording = Recording(name, in: scratch)
            #expect(try await recording.flaws() == [], "\(name)")
            try await recording.play()
        }
        try await scratch.expectNothingLeft()
    }

    /// A copy without loss stays one.
    @Test func aLosslessCopyIsWhole() async throws {
        let scratch = try Scratch()
        let publisher = try scratch.ipn("publish", Fixture.bunny, "net", "--lossless", "--wait-readers", "1")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let recorder = try scratch.ipn("record", "net", "copy.mp4")
        try await scratch.awaitProgress(of: "copy.mp4", by: 30)
        try await killKeeper(of: scratch)
        try await publisher.succeeded()
        try await recorder.succeeded()
        #expect(try await Recording("copy.mp4", in: scratch).contents("v") == Recording(Fixture.bunny, in: scratch).contents("v"))
        try await until("the network is gone") { try scratch.names() == ["copy.mp4"] }
        try await scratch.expectNothingLeft()
    }

    @Test func teeGoesOnToo() async throws {
        let scratch = try Scratch()
        let tee = try scratch.ipn("tee", "test:", "--record", "a.mp4", "--stream", "out/live.m3u8", "--record", "b.mkv")
        let network = try await scratch.teeNetwork()
        try await scratch.awaitProgress(of: "b.mkv", on: network, by: 60)
        try await killKeeper(of: scratch)
        try await scratch.awaitProgress(of: "b.mkv", on: network, by: 60)
        tee.send(SIGINT)
        try await tee.succeeded()
        for name in ["a.mp4", "b.mkv"] {
            #expect(try await Recording(name, in: scratch).flaws() == [])
            try await Recording(name, in: scratch).play()
        }
        #expect(try String(contentsOfFile: scratch.file("out/live.m3u8"), encoding: .utf8).contains("#EXT-X-ENDLIST"))
        try await scratch.expectNothingLeft()
    }
}
