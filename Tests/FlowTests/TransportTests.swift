import Foundation
import Glibc
import Testing

/// Streams to whoever listens: SRT, UDP and RTP into ffmpeg; HLS as files.
@Suite(.onStage) struct TransportTests {
    @Test func srtArrivesWhole() async throws {
        let scratch = try Scratch()
        let port = try Net.freePort()
        let listener = try await Servers.listener("heard.ts", at: "srt://127.0.0.1:\(port)?mode=listener", port: port, in: scratch)
        let publisher = try scratch.ipn("publish", Fixture.bunny, "net", "--wait-readers", "1")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let stream = try scratch.ipn("stream", "net", "srt://127.0.0.1:\(port)")
        try await publisher.succeeded()
        try await stream.succeeded()
        #expect(stream.complaint == "")
        // The connection ends with the stream, and ffmpeg with it.
        _ = try await listener.ended()
        let heard = Recording("heard.ts", in: scratch)
        #expect(try await heard.codecs().sorted() == ["aac", "h264"])
        #expect(try await heard.packets().count == 132)
        try await heard.play()
        try await scratch.expectNothingLeft()
    }

    /// Datagrams tell nobody that they have begun or ended, and ffmpeg opens RTP a second time once it knows what it is: so
    /// the stream goes on until enough has been heard.
    @Test(arguments: ["udp", "rtp"]) func datagramsArrive(name: String) async throws {
        let scratch = try Scratch()
        let port = try Net.freePort()
        let listener = try await Servers.listener(
            "heard.ts", at: "\(name)://127.0.0.1:\(port)?buffer_size=4000000", port: port, in: scratch)
        let publisher = try scratch.ipn("publish", "test:", "net")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let stream = try scratch.ipn("stream", "net", "\(name)://127.0.0.1:\(port)")
        let heard = Recording("heard.ts", in: scratch)
        try await until("enough has been heard: \(listener.complaint)") { ((try? await heard.packets()) ?? []).count > 60 }
        publisher.send(SIGINT)
        try await publisher.succeeded()
        try await stream.succeeded()
        #expect(stream.complaint == "")
        listener.send(SIGKILL)
        _ = try await listener.ended()
        #expect(try await heard.codecs().sorted() == ["aac", "h264"])
        #expect(try await heard.flaws(beginsAnywhere: true) == [])
        try await scratch.expectNothingLeft()
    }

    /// Complete files only, and of all that a playlist names.
    @Test func hlsAsFiles() async throws {
        let scratch = try Scratch()
        let publisher = try scratch.ipn("publish", "test:", "net")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let stream = try scratch.ipn("stream", "net", "deep/folder/live.m3u8", "--option", "hls_time=1", "--option", "hls_list_size=0")
        try await until("a segment is there") { scratch.has("deep/folder/live.m3u8") }
        // Read while it is written, as a server would.
        #expect(try await Recording("deep/folder/live0.ts", in: scratch).packets().count == 25)
        try await until("more segments are there") { scratch.has("deep/folder/live3.ts") }
        publisher.send(SIGINT)
        try await publisher.succeeded()
        try await stream.succeeded()
        let names = try FileManager.default.contentsOfDirectory(atPath: scratch.file("deep/folder")).sorted()
        let playlist = try String(contentsOfFile: scratch.file("deep/folder/live.m3u8"), encoding: .utf8)
        let segments = playlist.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
        #expect(segments.count >= 3)
        #expect(names == (["live.m3u8"] + segments).sorted())
        #expect(playlist.contains("#EXT-X-ENDLIST"))
        let live = Recording("deep/folder/live.m3u8", in: scratch)
        #expect(try await live.flaws(beginsAnywhere: true) == [])
        try await live.play()
        try await scratch.expectNothingLeft()
    }
}
