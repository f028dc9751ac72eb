import Foundation
import Glibc
import Testing

/// A producer that vanishes without a word, and what comes after it.
@Suite(.onStage) struct ProducerDeathTests {
    @Test func consumersEndWithWholeFiles() async throws {
        let scratch = try Scratch()
        let publisher = try scratch.ipn("publish", "test:", "net")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let consumers = [
            try scratch.ipn("record", "net", "a.mkv"), try scratch.ipn("record", "net", "b.mp4"),
            try scratch.ipn("stream", "net", "hls/live.m3u8"),
        ]
        try await scratch.awaitReaders(3, "net")
        try await scratch.awaitProgress(of: "a.mkv", by: 120)
        publisher.send(SIGKILL)
        for consumer in consumers {
            try await consumer.succeeded()
            #expect(consumer.complaint == "")
        }
        for name in ["a.mkv", "b.mp4", "hls/live.m3u8"] {
            let recording = Recording(name, in: scratch)
            #expect(try await recording.packets().count > 20, "\(name)")
            #expect(try await recording.flaws(beginsAnywhere: name.hasPrefix("hls")) == [], "\(name)")
            try await recording.play()
        }
        #expect(try String(contentsOfFile: scratch.file("hls/live.m3u8"), encoding: .utf8).contains("#EXT-X-ENDLIST"))
        try await scratch.expectNothingLeft()
    }

    @Test func anotherProducerTakesOver() async throws {
        let scratch = try Scratch()
        let publisher = try scratch.ipn("publish", "test:", "net")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let recorder = try scratch.ipn("record", "net", "copy.mkv")
        try await scratch.awaitProgress(of: "copy.mkv", by: 120)
        publisher.send(SIGKILL)
        _ = try await publisher.ended()
        // At once: well within the patience of those who wait for it.
        let next = try scratch.ipn("publish", Fixture.bunny, "net", "--wait-readers", "1")
        try await next.succeeded()
        try await recorder.succeeded()
        let first = Recording("copy.mkv", in: scratch)
        let second = Recording("copy-2.mkv", in: scratch)
        #expect(try await first.flaws() == [])
        try await first.play()
        // The second is the other producer's, from its beginning.
        #expect(try await second.contents("v") == Recording(Fixture.bunny, in: scratch).contents("v"))
        try await second.play()
        #expect(try scratch.names() == ["copy-2.mkv", "copy.mkv"])
        try await scratch.expectNothingLeft()
    }

    @Test func aFollowerStaysForTheNext() async throws {
        let scratch = try Scratch()
        let recorderNetwork = try scratch.ipn("create", "net", "--mtu", "4M", "--pool", "256", "--lossless")
        try await recorderNetwork.succeeded()
        let recorder = try scratch.ipn("record", "net", "copy.mp4", "--follow")
        for _ in 1...3 {
            try await scratch.ipn("publish", Fixture.bunny, "net", "--fast", "--wait-readers", "1").succeeded()
        }
        try await until("the third has been read") {
            guard scratch.has("copy-3.mp4") else { return false }
            return try await scratch.show("net")?.nodes.allSatisfy { $0.pending == 0 } ?? false
        }
        recorder.send(SIGINT)
        try await recorder.succeeded()
        let wanted = try await Recording(Fixture.bunny, in: scratch).contents("v")
        for name in ["copy.mp4", "copy-2.mp4", "copy-3.mp4"] {
            #expect(try await Recording(name, in: scratch).contents("v") == wanted, "\(name)")
        }
        try await scratch.ipn("remove", "net").succeeded()
        try await scratch.expectNothingLeft()
    }
}
