import LibAV
import Media
import TestSignal
import Testing
import Transcode

/// A source that is coded on its way to the network.
@Suite struct CodedSourceTests {
    private func signal(_ options: String) throws -> TestSignal { try TestSignal(try SignalSettings(options: options)) }

    private func coding(_ video: String?, _ audio: String? = nil) -> CodingSettings {
        var settings = CodingSettings()
        settings.video = video.flatMap { Coding(text: $0) }
        settings.audio = audio.flatMap { Coding(text: $0) }
        return settings
    }

    /// - Returns: of each packet of the first stream, whether it is a key frame.
    private func record(
        _ source: consuming CodedSource<TestSignal>, to path: String, each: (Int, inout CodedSource<TestSignal>) -> Void = { _, _ in }
    ) throws -> [Bool] {
        var muxer = try Muxer(url: path, streams: source.streams)
        var keys: [Bool] = []
        while let packet = try source.next() {
            #expect(packet.captureTime != nil && packet.lost == 0)
            if packet.stream == 0 { keys.append(packet.isKey) }
            try source.withBytes { bytes throws(MediaError) in try muxer.write(packet, bytes) }
            each(keys.count, &source)
        }
        try muxer.finish()
        return keys
    }

    /// Each picture once, in order, also with encoders that hold some back.
    @Test(arguments: ["libx264:1M", "libx265", "mpeg4", "vp8", "mjpeg"])
    func everyPictureIsThere(encoder: String) throws {
        let scratch = try Scratch()
        let source = try CodedSource(
            try signal("codec=rawvideo,audio=pcm_s16le,rate=50,size=640x360,duration=1.2,barcode"), coding(encoder, "flac"), isBeside: false)
        #expect(source.streams.map(\.codec).contains("rawvideo") == false)
        _ = try record(source, to: scratch.file("out.mkv"))
        let expected = (0..<60).map { FrameCodeReader.Reading(number: $0, milliseconds: $0 * 20) }
        #expect(try FrameCodeReader.read(scratch.file("out.mkv")) == expected)
        try Command.run("ffmpeg", "-v", "error", "-xerror", "-i", scratch.file("out.mkv"), "-f", "null", "-")
    }

    /// What is coded comes first, and what it was made of is the same as without.
    @Test func besideIsBoth() throws {
        let scratch = try Scratch()
        let options = "codec=rawvideo,audio=pcm_s16le,size=160x90,duration=1,barcode"
        let source = try CodedSource(try signal(options), coding("libx264", "libopus"), isBeside: true)
        #expect(source.streams.map(\.codec) == ["h264", "opus", "rawvideo", "pcm_s16le"])
        #expect(source.streams.map(\.index) == [0, 1, 2, 3])
        _ = try record(source, to: scratch.file("both.nut"))
        var plain = try signal(options)
        var muxer = try Muxer(url: scratch.file("plain.nut"), streams: plain.streams)
        while let packet = try plain.next() { try plain.withBytes { bytes throws(MediaError) in try muxer.write(packet, bytes) } }
        try muxer.finish()
        for stream in 0...1 {
            let raw = try FrameCRC(scratch.file("both.nut"), stream: stream + 2).contents
            #expect(try raw == FrameCRC(scratch.file("plain.nut"), stream: stream).contents)
        }
        #expect(try FrameCRC(scratch.file("both.nut"), stream: 0).contents.count == 25)
    }

    @Test(arguments: ["libx264", "libx265", "mpeg4", "vp8"]) func aKeyFrameComesWhenAskedFor(encoder: String) throws {
        let scratch = try Scratch()
        let source = try CodedSource(try signal("codec=rawvideo,audio=none,duration=1"), coding(encoder), isBeside: false)
        let keys = try record(source, to: scratch.file("out.mkv")) { count, source in if count == 10 { source.requestKeyFrame() } }
        #expect(keys.count == 25)
        #expect(keys.enumerated().filter(\.element).map(\.offset) == [0, 10])
    }

    /// Sound comes out in other pieces than it went in, and still says when it was heard.
    @Test func captureTimesGoWithTheSound() throws {
        var source = try CodedSource(try signal("codec=rawvideo,audio=pcm_s16le,size=64x64,duration=2"), coding(nil, "libopus"), isBeside: false)
        var origin: Int64?
        while let packet = try source.next() {
            guard source.streams[packet.stream].isAudio else { continue }
            let time = source.streams[packet.stream].timeBase.nanoseconds(try #require(packet.pts))
            let offset = try #require(packet.captureTime) - time
            // To within a sample.
            #expect(abs(offset - (origin ?? offset)) < 50_000)
            origin = origin ?? offset
        }
        #expect(origin != nil)
    }

    @Test func whatIsMissingIsNamed() throws {
        func refused(_ options: String, _ coding: CodingSettings, _ word: String) throws {
            let error = #expect(throws: MediaError.self) { _ = try CodedSource(try signal(options), coding, isBeside: false) }
            #expect(error?.description.contains(word) == true, "\(error?.description ?? "")")
        }
        try refused("codec=rawvideo", coding("libx999"), "libx999: this libavcodec has no video encoder of that name")
        try refused("audio=none", coding(nil, "libopus"), "libopus: there is no sound to code")
    }
}
