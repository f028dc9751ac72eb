import Foundation
import Glibc
import Testing

/// What a transport stream carries is carried on into containers that want it otherwise: AAC there has a header in front of each packet.
@Suite(.onStage) struct TransportInputTests {
    private func input(_ scratch: Scratch) async throws {
        try await tool(
            "ffmpeg", "-v", "error", "-i", Fixture.bunny, "-c", "copy", "-bsf:v", "h264_mp4toannexb", "b.ts", in: scratch)
    }

    private func publisher(_ scratch: Scratch, _ options: String...) async throws -> Program {
        try await input(scratch)
        let publisher = try scratch.ipn(["publish", "b.ts", "net", "--wait-readers", "1"] + options)
        try await until("the network is there \(publisher.complaint)") { try await scratch.show("net") != nil }
        return publisher
    }

    private func expectAll(_ name: String, _ scratch: Scratch, beginsAnywhere: Bool = false) async throws {
        let recording = Recording(name, in: scratch)
        #expect(try await recording.codecs().sorted() == ["aac", "h264"])
        #expect(try await recording.packets().count == 132)
        #expect(try await recording.packets("a").count > 240)
        #expect(try await recording.flaws(beginsAnywhere: beginsAnywhere) == [])
        try await recording.play()
    }

    @Test(arguments: ["mp4", "mkv", "mov", "flv", "ts"]) func recorded(container: String) async throws {
        let scratch = try Scratch()
        let publisher = try await publisher(scratch, "--lossless", "--fast")
        let recorder = try scratch.ipn("record", "net", "copy.\(container)")
        try await publisher.succeeded()
        try await recorder.succeeded()
        #expect(publisher.complaint + recorder.complaint == "")
        try await expectAll("copy.\(container)", scratch, beginsAnywhere: container == "ts")
        try await scratch.expectNothingLeft()
    }

    @Test(arguments: [("x.m3u8", ["--low-latency"]), ("x.m3u8", []), ("x.mpd", []), ("x.mpd", ["--low-latency"])])
    func sentOn(name: String, options: [String]) async throws {
        let scratch = try Scratch()
        let publisher = try await publisher(scratch)
        let stream = try scratch.ipn(["stream", "net", name] + options)
        try await publisher.succeeded()
        try await stream.succeeded()
        #expect(publisher.complaint + stream.complaint == "")
        #expect(try await Recording(name, in: scratch).codecs().sorted() == ["aac", "h264"])
        #expect(try await Recording(name, in: scratch).packets("a").count > 200)
        try await scratch.expectNothingLeft()
    }

    @Test func piped() async throws {
        let scratch = try Scratch()
        let publisher = try await publisher(scratch, "--lossless", "--fast")
        let pipe = try scratch.ipn("pipe", "net", output: scratch.file("copy.mkv"))
        try await publisher.succeeded()
        try await pipe.succeeded()
        #expect(pipe.complaint == "")
        try await expectAll("copy.mkv", scratch)
    }

    /// RTSP carries AAC without a header in front of each packet (RFC 3640), and announces one for all.
    @Test func pushedByRTSP() async throws {
        let scratch = try Scratch()
        let port = try Net.freePort()
        let server = try await Servers.rtspRecorder("copy.mkv", port: port, in: scratch)
        let publisher = try await publisher(scratch)
        let stream = try scratch.ipn("stream", "net", "rtsp://127.0.0.1:\(port)/cam")
        try await publisher.succeeded()
        try await stream.succeeded()
        #expect(publisher.complaint + stream.complaint == "")
        server.send(SIGKILL)
        _ = try await server.ended()
        let copy = Recording("copy.mkv", in: scratch)
        #expect(try await copy.codecs().sorted() == ["aac", "h264"])
        // What a decoder takes is there: the same octets as without headers. The server may not have written the last of it.
        let wanted = try await Recording(Fixture.bunny, in: scratch).contents("a")
        let heard = try await copy.contents("a")
        #expect(heard.count > 200 && heard.allSatisfy { wanted.contains($0) }, "\(heard.count)")
        #expect(try await copy.packets().count > 100)
        try await scratch.expectNothingLeft()
    }

    /// A session description has to say how the sound is to be decoded.
    @Test func describedForRTP() async throws {
        let scratch = try Scratch()
        let publisher = try await publisher(scratch)
        let stream = try scratch.ipn("stream", "net", "rtp://127.0.0.1:\(try Net.freePort())", "--sdp", "cam.sdp")
        try await publisher.succeeded()
        try await stream.succeeded()
        let description = try String(contentsOfFile: scratch.file("cam.sdp"), encoding: .utf8)
        #expect(description.contains("m=audio") && description.contains("config="), "\(description)")
        try await scratch.expectNothingLeft()
    }
}
