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

    /// Also where the time code has no room.
    @Test(arguments: ["64x64", "66x4096", "130x64", "4096x64"]) func isOfAnySize(size: String) throws {
        let scratch = try Scratch()
        try record(try SignalSettings(options: "size=\(size),codec=mpeg4,audio=none,duration=0.2"), to: scratch.file("out.mkv"))
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

    /// Every picture tells its number and time, whatever it is coded with and however small its cells are.
    @Test(arguments: ["libx264,size=160x90", "libx264,size=1280x720", "mjpeg", "rawvideo", "libvpx", "libx265", "mpeg4"])
    func everyPictureTellsItsNumber(codec: String) throws {
        let scratch = try Scratch()
        let settings = try SignalSettings(options: "codec=\(codec),rate=50,duration=1.2,barcode,flash,audio=none")
        try record(settings, to: scratch.file("out.nut"))
        let expected = (0..<60).map { FrameCodeReader.Reading(number: $0, milliseconds: $0 * 20) }
        #expect(try FrameCodeReader.read(scratch.file("out.nut")) == expected)
    }

    @Test func withoutABarCodeThereIsNothingToRead() throws {
        let scratch = try Scratch()
        try record(try SignalSettings(options: "duration=0.2"), to: scratch.file("out.mkv"))
        let readings = try FrameCodeReader.read(scratch.file("out.mkv"))
        #expect(readings.count >= 5 && readings.allSatisfy { $0 == nil }, "\(readings)")
    }

    @Test(arguments: [("aac", "aac"), ("libopus", "opus"), ("pcm_s16le", "pcm_s16le"), ("flac", "flac"), ("mp2", "mp2"), ("ac3", "ac3")])
    func soundsAsAsked(encoder: String, codec: String) throws {
        let scratch = try Scratch()
        try record(try SignalSettings(options: "audio=\(encoder),duration=2,codec=mpeg4,size=vga,rate=ntsc"), to: scratch.file("out.mkv"))
        let streams = try Command.run(
            "ffprobe", "-v", "error", "-show_entries", "stream=codec_name,width,r_frame_rate", "-of", "csv=p=0", scratch.file("out.mkv"))
        #expect(streams == "mpeg4,640,30000/1001\n\(codec),0/0\n")
        // An octave higher than the tone, at a quarter of the full scale.
        let loudness = try Command.run(
            "sh", "-c", "ffmpeg -hide_banner -i \(scratch.file("out.mkv")) -af bandpass=f=880:w=50,volumedetect -vn -f null - 2>&1")
        let peak = try #require(loudness.firstMatch(of: /max_volume: (-?[0-9.]+) dB/).flatMap { Double($0.1) })
        #expect(abs(peak + 12) < 2, "\(peak) dB")
    }

    /// The same instant to the eye and to the ear: the picture turns white where the beep begins.
    @Test func flashAndBeepAreOne() throws {
        let scratch = try Scratch()
        try record(try SignalSettings(options: "audio=pcm_s16le,flash,rate=50,duration=3,size=320x180"), to: scratch.file("out.nut"))
        let report = try Command.run(
            "sh", "-c",
            "ffmpeg -hide_banner -i \(scratch.file("out.nut")) -vf negate,blackdetect=d=0.05:pic_th=0.8:pix_th=0.15 -af silencedetect=n=0.01:d=0.2 -f null - 2>&1"
        )
        let white = report.matches(of: /black_start:([0-9.]+) black_end:([0-9.]+)/).map { [$0.1, $0.2].compactMap { Double($0) } }
        let silent = report.matches(of: /silence_(?:start|end): ([0-9.]+)/).compactMap { Double($0.1) }
        #expect(white.map { $0.map { ($0 * 100).rounded() / 100 } } == [[0, 0.1], [1, 1.1], [2, 2.1]])
        #expect(silent.prefix(5).map { ($0 * 100).rounded() / 100 } == [0.1, 1, 1.1, 2, 2.1])
    }

    @Test(arguments: [
        ("size=huge", "huge"), ("size=63x64", "63"), ("rate=0", "rate"), ("rate=often", "often"), ("codec=nonsense", "nonsense"),
        ("codec=aac", "aac"), ("audio=libx264", "libx264"), ("gop=0", "gop"), ("sample_rate=7", "7"), ("frequency=0", "0.0 Hz"),
        ("duration=-1", "-1"), ("flash=1", "flash=1"), ("nonsense", "nonsense"), ("=", "="), ("size", "size"),
        ("size=64x64,barcode", "64 pixels wide"),
    ])
    func impossibleOptionsAreNamed(options: String, word: String) {
        let error = #expect(throws: MediaError.self) { _ = try TestSignal(try SignalSettings(options: options)) }
        #expect(error?.description.contains(word) == true, "\(error?.description ?? "")")
    }
}
