import Foundation
import Glibc
import Testing

/// The keeper of a network is killed in the middle of a publication.
///
/// Then nobody new can join, so the publisher ends with an error that says so, and the consumers end as if the stream
/// had: with whole files. The network's file stays behind, and the next publisher takes it over.
@Suite(.onStage) struct KeeperDeathTests {
    private func keeper(of scratch: Scratch) throws -> pid_t {
        let keepers = scratch.keepers()
        try #require(keepers.count == 1, "\(keepers)")
        return keepers[0]
    }

    @Test func everybodyEndsAndTheNextTakesOver() async throws {
        let scratch = try Scratch()
        let publisher = try scratch.ipn("publish", "test:", "net")
        try await until("the network is there") { try await scratch.show("net")?.writers == 1 }
        let recorders = [try scratch.ipn("record", "net", "a.mkv"), try scratch.ipn("record", "net", "b.mp4")]
        try await scratch.awaitReaders(2, "net")
        try await scratch.awaitProgress(of: "a.mkv", by: 120)
        kill(try keeper(of: scratch), SIGKILL)
        try await expectComplaint(publisher, status: 1, "net: ", "keeper is gone")
        for recorder in recorders { try await recorder.succeeded() }
        for name in ["a.mkv", "b.mp4"] {
            let recording = Recording(name, in: scratch)
            #expect(try await recording.flaws() == [], "\(name)")
            #expect(try await recording.packets().count > 10)
            try await recording.play()
        }
        // What is left at the path is no network, and is said to be none.
        try await expectComplaint(try scratch.ipn("record", "net", "c.mkv"), status: 3, "net: ", "no network here")

        let next = try scratch.ipn("publish", Fixture.bunny, "net", "--fast", "--lossless", "--wait-readers", "1")
        try await until("the network is there again") { try await scratch.show("net") != nil }
        let recorder = try scratch.ipn("record", "net", "c.mp4")
        try await next.succeeded()
        try await recorder.succeeded()
        #expect(try await Recording("c.mp4", in: scratch).contents("v") == Recording(Fixture.bunny, in: scratch).contents("v"))
        #expect(try scratch.names() == ["a.mkv", "b.mp4", "c.mp4"])
        try await scratch.expectNothingLeft()
    }

    @Test func teeEndsToo() async throws {
        let scratch = try Scratch()
        let tee = try scratch.ipn("tee", "test:", "--record", "a.mp4", "--stream", "out/live.m3u8", "--record", "b.mkv")
        try await scratch.awaitProgress(of: "b.mkv", on: scratch.teeNetwork(), by: 120)
        kill(try keeper(of: scratch), SIGKILL)
        #expect(try await tee.ended().status == 1)
        #expect(tee.complaint.contains("keeper is gone"), "\(tee.complaint)")
        try await until("no process of tee is left") { tee.groupMembers.isEmpty }
        for name in ["a.mp4", "b.mkv"] {
            #expect(try await Recording(name, in: scratch).flaws() == [])
            try await Recording(name, in: scratch).play()
        }
        #expect(try String(contentsOfFile: scratch.file("out/live.m3u8"), encoding: .utf8).contains("#EXT-X-ENDLIST"))
    }
}
