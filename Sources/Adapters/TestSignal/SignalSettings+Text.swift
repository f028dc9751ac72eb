import CLibAV
public import Media

extension SignalSettings {
    /// Reads `size=1280x720,rate=60,codec=libx264`, with the names and values of FFmpeg's own sources; empty for all defaults.
    ///
    /// | option | value |
    /// |---|---|
    /// | `size` | `1280x720`, or a name that FFmpeg knows: `hd720`, `vga` |
    /// | `rate` | pictures a second: `60`, `30000/1001`, `ntsc` |
    /// | `codec`, `audio` | an encoder or a codec: `libx264`, `hevc`, `mjpeg`, `rawvideo`; `libopus`, `pcm_s16le`, or `audio=none` |
    /// | `gop` | pictures from key frame to key frame |
    /// | `sample_rate`, `frequency` | of the sound and of its tone, Hz |
    /// | `duration` | seconds |
    /// | `flash` | white while it beeps, silent in between |
    /// | `barcode` | the number and time of each picture, for programs: see `FrameCode` |
    /// - Throws: `.invalidOption`, naming it.
    public init(options text: some StringProtocol) throws(MediaError) {
        self.init()
        for option in text.split(separator: ",") {
            let parts = option.split(separator: "=", maxSplits: 1)
            let name = String(parts.first ?? "")
            try set(name, parts.count == 2 ? String(parts[1]) : nil, in: String(option))
        }
        try check()
    }

    private static let names = "size, rate, codec, audio, gop, sample_rate, frequency, duration, flash, barcode"

    private mutating func set(_ name: String, _ value: String?, in option: String) throws(MediaError) {
        func wrong(_ remedy: String) -> MediaError {
            MediaError(.invalidOption, object: "test signal", what: "“\(option)” is not understood", remedy: remedy)
        }
        switch (name, value) {
        case ("size", let value?):
            guard av_parse_video_size(&width, &height, value) >= 0 else { throw wrong("size=1280x720") }
        case ("rate", let value?):
            var rate = AVRational()
            guard av_parse_video_rate(&rate, value) >= 0 else { throw wrong("rate=60, or rate=30000/1001") }
            frameRate = Ratio(rate.num, rate.den)
        case ("codec", let value?): videoCodec = value
        case ("audio", "none"?): sampleRate = 0
        case ("audio", let value?): audioCodec = value
        case ("gop", let value?):
            guard let number = Int32(value), number > 0 else { throw wrong("gop=60") }
            keyFrameInterval = number
        case ("sample_rate", let value?):
            guard let number = Int32(value) else { throw wrong("sample_rate=48000") }
            sampleRate = number
        case ("frequency", let value?):
            guard let number = Double(value) else { throw wrong("frequency=440") }
            frequency = number
        case ("duration", let value?):
            guard let seconds = Double(value), seconds > 0, seconds < 1e9 else { throw wrong("duration=10, in seconds") }
            duration = Int64(seconds * 1e9)
        case ("flash", nil): flashes = true
        case ("barcode", nil): hasFrameCode = true
        default: throw wrong("a test signal has \(Self.names)")
        }
    }
}
