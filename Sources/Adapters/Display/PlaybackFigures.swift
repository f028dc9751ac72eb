/// What is to be known of a playback: counts since its beginning, times as they are now.
public struct PlaybackFigures: Sendable {
    public var shown: UInt64 = 0
    /// Pictures that came too late to be shown, or faster than a terminal takes them.
    public var dropped: UInt64 = 0
    /// Packets that made no sense to a decoder.
    public var damaged: UInt64 = 0
    /// Times that the sound ran dry.
    public var gaps: UInt64 = 0
    /// Nanoseconds from capture to screen, and to ear; nil before the first.
    public var screenDelay: Int64?
    public var soundDelay: Int64?
    /// The part by which sound is played faster than it was sent: 0.001 for 0.1 %.
    public var soundSpeed = 0.0

    /// Nanoseconds by which the picture is behind the sound; nil where one of them is missing.
    public var skew: Int64? {
        guard let screenDelay, let soundDelay else { return nil }
        return screenDelay - soundDelay
    }
}
