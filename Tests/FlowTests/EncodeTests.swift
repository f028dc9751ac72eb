import Foundation
import Glibc
import Testing

/// Raw streams that are coded before they go on the network.
@Suite(.onStage) struct EncodeTests {
    /// Every picture of the file, once.
    @Test func aRawFileIsCodedWhole() async throws {
        let scratch = try Scratch()
        _ = try await tool(
            "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=2", "-pix_fmt", "yuv420p", "raw.y4m", in: scratch)
        let publisher = try scratch.ipn("publish", "raw.y4m", "net", "--encode", "libx264:500k", "--wait-readers", "1", "--lossless", "--fast")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let recorder = try scratch.ipn("record", "net", "copy.mp4")
        try await publisher.succeeded()
        try await recorder.succeeded()
        let copy = Recording("copy.mp4", in: scratch)
        #expect(try await copy.codecs() == ["h264"])
        #expect(try await copy.packets().count == 50)
        #expect(try await copy.flaws() == [])
        try await copy.play()
        try await scratch.expectNothingLeft()
    }

    /// A WAV file that says how many channels it has, and not which: with two, with one, and with more than any usual set-up.
    @Test(arguments: [2, 1, 9]) func plainSoundIsCodedWhole(channels: Int) async throws {
        let scratch = try Scratch()
        let tones = Array(repeating: "sin(t*3000)", count: channels).joined(separator: "|")
        try await tool("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "aevalsrc=\(tones):s=48000:d=2", "-f", "s16le", "raw", in: scratch)
        try await tool("ffmpeg", "-v", "error", "-f", "s16le", "-ar", "48000", "-ac", "\(channels)", "-i", "raw", "plain.wav", in: scratch)
        let publisher = try scratch.ipn(
            "publish", "plain.wav", "net", "--encode-audio", channels == 9 ? "pcm_s24le" : "aac", "--wait-readers", "1", "--lossless", "--fast")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let recorder = try scratch.ipn("record", "net", "copy.mka")
        try await publisher.succeeded()
        try await recorder.succeeded()
        try await tool("ffmpeg", "-v", "error", "-i", "copy.mka", "-f", "s16le", "-ac", "1", "-ar", "48000", "heard", in: scratch)
        let samples = try #require(FileManager.default.contents(atPath: scratch.file("heard"))).count / 2
        #expect(abs(samples - 96000) < 4096, "\(samples)")
        try await scratch.expectNothingLeft()
    }

    /// One takes what was coded, another one what it was coded from.
    @Test func besideTheRawStream() async throws {
        let scratch = try Scratch()
        let signal = "test:codec=rawvideo,audio=pcm_s16le,size=160x90,duration=2"
        let publisher = try scratch.ipn(
            "publish", signal, "net", "--encode", "libx264:300k", "--encode-audio", "flac", "--beside", "--wait-readers", "2", "--lossless")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let coded = try scratch.ipn("record", "net", "coded.mkv", "--streams", "0,1")
        let raw = try scratch.ipn("record", "net", "raw.nut", "--streams", "2,3")
        for program in [publisher, coded, raw] { try await program.succeeded() }
        #expect(try await Recording("coded.mkv", in: scratch).codecs() == ["h264", "flac"])
        #expect(try await Recording("raw.nut", in: scratch).codecs() == ["rawvideo", "pcm_s16le"])
        for name in ["coded.mkv", "raw.nut"] { #expect(try await Recording(name, in: scratch).packets().count == 50) }
        #expect(try await Recording("coded.mkv", in: scratch).flaws() == [])
        try await scratch.expectNothingLeft()
    }

    /// Where nothing is kept for a joiner, the encoder makes a key frame for it.
    @Test func aJoinerIsGivenAKeyFrame() async throws {
        let scratch = try Scratch()
        // mpeg4 makes no key frame of its own will; every other one is 50 pictures behind the last.
        let publisher = try scratch.ipn(
            "publish", "test:codec=rawvideo,audio=none,size=160x90", "net", "--encode", "mpeg4", "--history", "none")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let stays = try scratch.ipn("record", "net", "stays.mkv")
        try await scratch.awaitProgress(of: "stays.mkv", by: 60)
        let late = try scratch.ipn("record", "net", "late.mkv")
        try await scratch.awaitProgress(of: "late.mkv", by: 20)
        publisher.send(SIGINT)
        for program in [publisher, stays, late] { try await program.succeeded() }
        let keys = try await Recording("stays.mkv", in: scratch).packets().enumerated().filter(\.element.isKey).map(\.offset)
        #expect(zip(keys, keys.dropFirst()).contains { $1 - $0 < 50 }, "\(keys)")
        try await Recording("late.mkv", in: scratch).play()
        try await scratch.expectNothingLeft()
    }

    @Test func teeCodesOnceForAll() async throws {
        let scratch = try Scratch()
        try await scratch.ipn(
            "tee", "test:codec=rawvideo,size=160x90,duration=2", "--encode", "libx264:300k", "--record", "a.mp4", "--record", "b.mkv"
        ).succeeded()
        for name in ["a.mp4", "b.mkv"] {
            #expect(try await Recording(name, in: scratch).codecs() == ["h264", "aac"])
            #expect(try await Recording(name, in: scratch).packets().count == 50)
        }
        try await scratch.expectNothingLeft()
    }

    @Test(arguments: [
        (["test:", "net", "--encode", "libx999"], Int32(1), "libx999: this libavcodec has no video encoder"),
        (["test:audio=none", "net", "--encode-audio", "libopus"], 1, "libopus: there is no sound to code"),
        (["test:", "net", "--encode", "libx264:fast"], 2, "--encode"),
        (["test:", "net", "--encode-size", "320x180"], 2, "--encode libx264"),
        (["test:", "net", "--beside"], 2, "--beside takes something that is coded"),
        (["test:", "net", "--loop"], 1, "--loop is for files"),
    ]) func whatCannotBeCodedIsSaidInALine(arguments: [String], status: Int32, says: String) async throws {
        let scratch = try Scratch()
        try await expectComplaint(try scratch.ipn(["publish"] + arguments), status: status, says)
        #expect(try scratch.names() == [])
        try await scratch.expectNothingLeft()
    }
}
