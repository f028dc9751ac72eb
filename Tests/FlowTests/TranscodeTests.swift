import Foundation
import Glibc
import Testing

/// Streams that are coded anew on their way out.
@Suite(.onStage) struct TranscodeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let video, audio, file: String
        let codecs: [String]
        var testDescription: String { "\(video) \(audio)" }
    }

    /// All pictures at their times, all of the sound, in another size and other codecs.
    @Test(arguments: [
        Case(video: "libx264:500k", audio: "libopus:64k", file: "coded.mkv", codecs: ["h264", "opus"]),
        Case(video: "mpeg4:1M", audio: "libmp3lame:96k", file: "coded.ts", codecs: ["mp3", "mpeg4"]),
        Case(video: "vp8", audio: "libvorbis", file: "coded.webm", codecs: ["vorbis", "vp8"]),
    ]) func wholeAndInTime(_ example: Case) async throws {
        let scratch = try Scratch()
        let publisher = try scratch.ipn("publish", Fixture.bunny, "net", "--wait-readers", "1", "--lossless")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let stream = try scratch.ipn(
            "stream", "net", example.file, "--video", example.video, "--audio", example.audio, "--size", "320x180")
        try await publisher.succeeded()
        try await stream.succeeded()
        #expect(stream.complaint == "")
        let coded = Recording(example.file, in: scratch)
        #expect(try await coded.codecs().sorted() == example.codecs)
        let times = try await coded.packets().map(\.pts).sorted()
        #expect(times.count == 132)
        #expect(try await coded.flaws(beginsAnywhere: true) == [])
        let sound = try await coded.packets("a").map(\.pts)
        // The same begin and end, to within a packet of sound and what its encoder puts in front.
        #expect(abs((sound.min() ?? -1) - (times.min() ?? -2)) < 0.1)
        #expect(abs((sound.max() ?? -1) - (times.max() ?? -2)) < 0.15)
        let size = try await tool(
            "ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "stream=width,height", "-of", "csv=p=0", coded.path,
            in: scratch)
        #expect(size.split(separator: "\n").first == "320,180")
        let layout = try await tool(
            "ffprobe", "-v", "error", "-select_streams", "a", "-show_entries", "stream=channels", "-of", "csv=p=0", coded.path, in: scratch)
        #expect(layout.split(separator: "\n").first == "2")
        try await coded.play()
        try await scratch.expectNothingLeft()
    }

    /// Pictures go on as they are where only the sound is coded.
    @Test func whatIsNotNamedIsCopied() async throws {
        let scratch = try Scratch()
        let publisher = try scratch.ipn("publish", Fixture.bunny, "net", "--wait-readers", "1", "--lossless")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let stream = try scratch.ipn("stream", "net", "coded.mkv", "--audio", "flac")
        try await publisher.succeeded()
        try await stream.succeeded()
        let coded = Recording("coded.mkv", in: scratch)
        #expect(try await coded.codecs() == ["h264", "flac"])
        #expect(try await coded.contents("v") == Recording(Fixture.bunny, in: scratch).contents("v"))
        try await coded.play()
        try await scratch.expectNothingLeft()
    }

    /// Sound that Icecast cannot carry, coded into sound that it can.
    @Test func opusForIcecast() async throws {
        let scratch = try Scratch()
        let port = try Net.freePort()
        let server = try await Servers.icecast(Servers.folder("icecast", in: scratch), port: port, in: scratch)
        let publisher = try scratch.ipn("publish", "test:audio=ac3", "net")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let address = "icecast://source:hackme@127.0.0.1:\(port)/cam.ogg"
        let bare = try scratch.ipn("stream", "net", address)
        #expect(try await bare.ended().status == 1)
        #expect(bare.complaint.contains("icecast cannot carry ac3") && !bare.complaint.contains("hackme"), "\(bare.complaint)")
        let stream = try scratch.ipn("stream", "net", address, "--audio", "libopus:96k")
        try await until("it is heard \(stream.complaint)") {
            _ = try await Program(
                ["curl", "-s", "-m", "3", "-o", scratch.file("heard.ogg"), "http://127.0.0.1:\(port)/cam.ogg"], in: scratch
            ).ended()
            return scratch.size("heard.ogg") > 5000
        }
        #expect(try await Recording("heard.ogg", in: scratch).codecs() == ["opus"])
        publisher.send(SIGINT)
        try await publisher.succeeded()
        try await stream.succeeded()
        server.send(SIGTERM)
        _ = try await server.ended()
        try await scratch.expectNothingLeft()
    }

    @Test func whatCannotBeCodedIsSaidInALine() async throws {
        let scratch = try Scratch()
        let publisher = try scratch.ipn("publish", "test:", "net")
        try await until("the network is there") { try await scratch.show("net")?.writers == 1 }
        func refused(_ words: String..., status: Int32 = 1, says: String...) async throws {
            let stream = try Program([Scratch.executable, "stream", "net"] + words, in: scratch)
            #expect(try await stream.ended().status == status)
            #expect(stream.complaint.split(separator: "\n").count == 1, "\(stream.complaint)")
            for text in says { #expect(stream.complaint.contains(text), "\(stream.complaint)") }
        }
        try await refused("x.mkv", "--video", "libx999", says: "libx999: ", "no video encoder of that name", "it has libx264,")
        try await refused("x.mkv", "--audio", "libx264", says: "no audio encoder", "libopus")
        try await refused("rtmp://127.0.0.1/live/x", "--video", "vp8", says: "flv cannot hold vp8", "code it anew")
        try await refused("x.mkv", "--video", "libx264:fast", status: 2, says: "--video")
        try await refused("x.mkv", "--video", "libx264", "--size", "1x1", status: 2, says: "--size")
        try await refused("x.mkv", "--size", "320x180", status: 2, says: "--video libx264")
        try await refused("x.mkv", "--copy", "--audio", "aac", status: 2, says: "--copy")
        #expect(try scratch.names() == ["net"])
        publisher.send(SIGINT)
        try await publisher.succeeded()
        try await scratch.expectNothingLeft()
    }

    /// A broken film is coded as far as it goes, and what is broken is counted.
    @Test func damageIsTold() async throws {
        let scratch = try Scratch()
        try await tool(
            "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=4", "-c:v", "libx264", "-g", "25", "-b:v",
            "1M", "film.mp4", in: scratch)
        var octets = [UInt8](try Data(contentsOf: URL(fileURLWithPath: scratch.file("film.mp4"))))
        // Amid the pictures; their sizes and the index stay as they are.
        for place in stride(from: octets.count / 3, to: octets.count * 2 / 3, by: 97) { octets[place] ^= 0x5a }
        try Data(octets).write(to: URL(fileURLWithPath: scratch.file("broken.mp4")))
        let publisher = try scratch.ipn("publish", "broken.mp4", "net", "--wait-readers", "1", "--lossless")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let stream = try scratch.ipn("stream", "net", "out/live.m3u8", "--video", "libx264")
        try await publisher.succeeded()
        try await stream.succeeded()
        let lines = stream.complaint.split(separator: "\n")
        #expect(lines.count == 2 && lines[0].contains("out/live.m3u8: what is to be coded anew is damaged"), "\(stream.complaint)")
        #expect(try lines.last?.contains(Regex("out/live.m3u8: [1-9]\\d* packets or pictures were damaged")) == true, "\(stream.complaint)")
        #expect(try await Recording("out/live.m3u8", in: scratch).packets().count > 40)
    }
}
