public import Media

/// What a test signal looks and sounds like.
public struct SignalSettings: Sendable, Hashable {
    /// Pixels; even, 64 ... 4096.
    public var width: Int32 = 640
    public var height: Int32 = 360
    /// Pictures per second; at most 240.
    public var frameRate = Ratio(25, 1)
    /// FFmpeg's name of an encoder or of a codec; nil for the best H.264 there is.
    public var videoCodec: String?
    /// The same for sound; nil for AAC.
    public var audioCodec: String?
    /// Hz; 0 for no sound.
    public var sampleRate: Int32 = 48000
    /// Of the tone, in Hz.
    public var frequency: Double = 440
    /// Pictures between two key frames; 0: one second.
    public var keyFrameInterval: Int32 = 0
    /// Nanoseconds; nil: without end.
    public var duration: Int64?
    /// The whole picture is white while it beeps, and nothing is heard in between.
    public var flashes = false
    /// `FrameCode` is in the picture.
    public var hasFrameCode = false

    public init() {}

    /// - Throws: `.invalidOption`, naming it.
    func check() throws(MediaError) {
        func require(_ isGood: Bool, _ name: String, _ range: String) throws(MediaError) {
            guard isGood else { throw MediaError(.invalidOption, object: "test signal", what: "\(name) is not possible", remedy: range) }
        }
        try require(64...4096 ~= width && width % 2 == 0, "width \(width)", "take an even number from 64 to 4096")
        try require(64...4096 ~= height && height % 2 == 0, "height \(height)", "take an even number from 64 to 4096")
        try require(frameRate.isKnown && 0.1...240 ~= frameRate.value, "that frame rate", "take 1 to 240 pictures per second")
        let rates: [Int32] = [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000]
        try require(sampleRate == 0 || rates.contains(sampleRate), "sample rate \(sampleRate)", "take 48000 or 44100, or 0 for no sound")
        try require(20...4000 ~= frequency, "a tone of \(frequency) Hz", "take 20 to 4000")
        try require(keyFrameInterval >= 0, "key frame interval \(keyFrameInterval)", "take 0 for one second")
        try require(duration ?? 1 > 0, "that duration", "take more than 0 seconds")
        let isLegible = Int(width) >= FrameCode.columns * 4
        try require(!hasFrameCode || isLegible, "a bar code \(width) pixels wide", "take at least \(FrameCode.columns * 4)")
    }
}
