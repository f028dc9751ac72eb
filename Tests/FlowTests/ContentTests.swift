import Foundation
import Testing

/// Other things than a film with sound.
@Suite(.onStage) struct ContentTests {
    /// Publishes a file to one recorder, without loss.
    private func copy(_ input: String, to output: String, in scratch: Scratch) async throws {
        let publisher = try scratch.ipn("publish", input, "net", "--fast", "--lossless", "--wait-readers", "1")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let recorder = try scratch.ipn("record", "net", output)
        try await publisher.succeeded()
        try await recorder.succeeded()
        #expect(publisher.complaint == "" && recorder.complaint == "")
        try await scratch.expectNothingLeft()
    }

    /// A film with subtitles of that codec.
    private func subtitled(_ name: String, _ codec: String, in scratch: Scratch) async throws {
        let lines = "1\n00:00:00,500 --> 00:00:01,500\nEin Hase.\n\n2\n00:00:02,000 --> 00:00:04,000\n<i>Noch einer.</i>\n\n"
        try Data(lines.utf8).write(to: URL(fileURLWithPath: scratch.file("s.srt")))
        try await tool(
            "ffmpeg", "-v", "error", "-i", Fixture.bunny, "-i", "s.srt", "-map", "0", "-map", "1", "-c", "copy", "-c:s", codec,
            "-metadata:s:s:0", "language=ger", name, in: scratch)
    }

    /// What advice is given to whoever asks for a container that has none of them can be followed.
    @Test func subtitlesThatTheContainerCannotHold() async throws {
        let scratch = try Scratch()
        try await subtitled("in.mkv", "subrip", in: scratch)
        let publisher = try scratch.ipn("publish", "in.mkv", "net", "--lossless", "--wait-readers", "3")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let refused = try scratch.ipn("record", "net", "all.mp4")
        let without = try scratch.ipn("record", "net", "x.mp4", "--streams", "video,audio")
        let with = try scratch.ipn("record", "net", "x.mkv")
        try await expectComplaint(
            refused, status: 1, "all.mp4: mp4 cannot hold subrip", "write .mkv instead", "or leave it out: ipn record --streams video,audio")
        #expect(!scratch.has("all.mp4"))
        for program in [publisher, without, with] {
            try await program.succeeded()
            #expect(program.complaint == "")
        }
        #expect(try await Recording("x.mp4", in: scratch).codecs() == ["h264", "aac"])
        #expect(try await Recording("x.mkv", in: scratch).codecs() == ["h264", "aac", "subrip"])
        try await scratch.expectNothingLeft()
    }

    /// MP4 has subtitles of its own.
    @Test func subtitlesThatItCanHold() async throws {
        let scratch = try Scratch()
        try await subtitled("in.mp4", "mov_text", in: scratch)
        try await copy("in.mp4", to: "out.mp4", in: scratch)
        let after = Recording("out.mp4", in: scratch)
        #expect(try await after.codecs() == ["h264", "aac", "mov_text"])
        let text = try await tool("ffmpeg", "-v", "error", "-i", "out.mp4", "-map", "0:s", "-f", "srt", "-", in: scratch)
        #expect(text.contains("00:00:00,500 --> 00:00:01,500\nEin Hase."), "\(text)")
        #expect(text.contains("00:00:02,000 --> 00:00:04,000\n<i>Noch einer.</i>"), "\(text)")
    }

    @Test func subtitlesArrive() async throws {
        let scratch = try Scratch()
        try await subtitled("in.mkv", "subrip", in: scratch)
        try await copy("in.mkv", to: "out.mkv", in: scratch)
        let (before, after) = (Recording("in.mkv", in: scratch), Recording("out.mkv", in: scratch))
        #expect(try await after.codecs() == ["h264", "aac", "subrip"])
        for stream in ["v", "a", "s"] { #expect(try await after.checksums(stream) == before.checksums(stream), "\(stream)") }
        #expect(try await after.packets("s").count == 2)
        let text = try await tool("ffmpeg", "-v", "error", "-i", "out.mkv", "-map", "0:s", "-f", "srt", "-", in: scratch)
        #expect(text.contains("00:00:02,000 --> 00:00:04,000\n<i>Noch einer.</i>"))
        let language = try await tool(
            "ffprobe", "-v", "error", "-select_streams", "s", "-show_entries", "stream_tags=language", "-of", "csv=p=0", "out.mkv", in: scratch)
        #expect(language == "ger\n")
    }

    struct Kind: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let make: [String]
        let input, output, stream: String
    }

    static let kinds = [
        Kind(
            testDescription: "sound alone, raw", make: ["-f", "lavfi", "-i", "sine=duration=3", "-c:a", "pcm_s16le"], input: "in.wav",
            output: "out.wav", stream: "a"),
        Kind(
            testDescription: "sound alone, coded", make: ["-f", "lavfi", "-i", "sine=duration=3", "-c:a", "libopus"], input: "in.ogg",
            output: "out.mkv", stream: "a"),
        Kind(
            testDescription: "sound alone, MP3", make: ["-f", "lavfi", "-i", "sine=duration=3", "-c:a", "libmp3lame"], input: "in.mp3",
            output: "out.mp3", stream: "a"),
        Kind(
            testDescription: "raw pictures",
            make: ["-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=2", "-c:v", "rawvideo", "-pix_fmt", "yuv420p"],
            input: "in.nut", output: "out.nut", stream: "v"),
        Kind(
            testDescription: "raw pictures in AVI",
            make: ["-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=2", "-c:v", "rawvideo", "-pix_fmt", "bgr24"],
            input: "in.avi", output: "out.nut", stream: "v"),
        Kind(
            testDescription: "pictures alone, with B-frames",
            make: ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=3", "-c:v", "libx264", "-g", "25", "-bf", "2"],
            input: "in.mp4", output: "out.mp4", stream: "v"),
        Kind(
            testDescription: "JPEG pictures", make: ["-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=2", "-c:v", "mjpeg"],
            input: "in.avi", output: "out.mkv", stream: "v"),
    ]

    @Test(arguments: kinds) func arrivesUnchanged(kind: Kind) async throws {
        let scratch = try Scratch()
        let maker = try Program(["ffmpeg", "-v", "error"] + kind.make + [kind.input], in: scratch)
        try await maker.succeeded()
        try await copy(kind.input, to: kind.output, in: scratch)
        let (before, after) = (Recording(kind.input, in: scratch), Recording(kind.output, in: scratch))
        #expect(try await after.codecs() == before.codecs())
        let wanted = try await before.contents(kind.stream)
        #expect(wanted.count > 10)
        #expect(try await after.contents(kind.stream) == wanted)
        if kind.stream == "v" { #expect(try await after.flaws() == []) }
        try await after.play()
    }
}
