import LibAV
import Media
import TestSignal
import Testing

@Suite struct TestSignalTests {
    private func record(_ settings: SignalSettings, to path: String, each: (Int, inout TestSignal) -> Void = { _, _ in }) throws {
        var signal = try TestSignal(settings)
        var muxer = try Muxer(url: path, streams: signal.streams)
        var count = 0
        var last = Int64.min
        while let packet = try signal.next() {
            let time = signal.streams[packet.stream].timeBase.nanoseconds(try #require(packet.decodingTime))
            #expect(time >= last)
            last = time
            #expect(packet.captureTime != nil)
            try signal.withBytes { bytes throws(MediaError) in try muxer.write(packet, bytes) }
            count += 1
            each(count, &signal)
        }
        try muxer.finish()
    }

    private func keyFrames(_ path: String) throws -> [Int] {
        try Command.run("ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=flags", "-of", "csv=p=0", path)
            .split(separator: "\n").enumerated().filter { $0.element.hasPrefix("K") }.map(\.offset)
    }

    @Test func isAsLongAndAsBigAsAsked() throws {
        let scratch = try Scratch()
        var settings = SignalSettings()
        settings.width = 320
        settings.height = 240
        settings.frameRate = Ratio(30, 1)
        settings.duration = 2_000_000_000
        try record(settings, to: scratch.file("out.mkv"))
        let video = try Command.run(
            "ffprobe", "-v", "error", "-count_frames", "-select_streams", "v", "-show_entries", "stream=width,height,r_frame_rate,nb_read_frames",
            "-of", "csv=p=0", scratch.file("out.mkv"))
        #expect(video.hasPrefix("320,240,30/1,60"))
        #expect(try keyFrames(scratch.file("out.mkv")) == [0, 30])
        try Command.run("ffmpeg", "-v", "error", "-xerror", "-i", scratch.file("out.mkv"), "-f", "null", "-")
    }

    @Test func aKeyFrameComesWhenAskedFor() throws {
        let scratch = try Scratch()
        var settings = SignalSettings()
        settings.duration = 1_000_000_000
        settings.sampleRate = 0
        try record(settings, to: scratch.file("out.mkv")) { count, signal in
            if count == 10 { signal.requestKeyFrame() }
        }
        #expect(try keyFrames(scratch.file("out.mkv")) == [0, 10])
    }

    /// Decoded by ffmpeg: the bars' colours, and the pictures differ by their time code.
    @Test func looksLikeBars() throws {
        let scratch = try Scratch()
        var settings = SignalSettings()
        settings.duration = 200_000_000
        try record(settings, to: scratch.file("out.mkv"))
        func pixel(_ x: Int) throws -> [Int] {
            try Command.run(
                "sh", "-c",
                "ffmpeg -v error -i \(scratch.file("out.mkv")) -frames:v 1 -vf crop=2:2:\(x):10,scale=in_color_matrix=bt709,format=rgb24 -f rawvideo - | od -An -tu1 -N3"
            ).split(whereSeparator: { $0 == " " || $0 == "\n" }).compactMap { Int($0) }
        }
        for (bar, color) in [[191, 191, 191], [191, 191, 0], [0, 191, 191], [0, 191, 0], [191, 0, 191], [191, 0, 0], [0, 0, 191], [0, 0, 0]]
            .enumerated()
        {
            let seen = try pixel(bar * 80 + 40)
            #expect(zip(seen, color).allSatisfy { abs($0 - $1) < 12 } && seen.count == 3, "bar \(bar): \(seen)")
        }
        let different = Set(try FrameCRC(scratch.file("out.mkv"), stream: 0).contents)
        #expect(different.count == 5)
    }

    @Test func impossibleSettingsAreNamed() {
        var settings = SignalSettings()
        settings.width = 641
        let error = #expect(throws: MediaError.self) { _ = try TestSignal(settings) }
        #expect(error?.code == .invalidOption)
        #expect(error?.what.contains("641") == true)
    }
}
