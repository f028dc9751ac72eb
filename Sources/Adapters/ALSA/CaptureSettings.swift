/// What is asked of a capture device; nil is left to it.
public struct CaptureSettings: Sendable {
    /// Any PCM that alsa-lib knows: `hw:0`, `default`, `plughw:CARD=Loopback`.
    public var device: String
    /// Hz.
    public var rate: UInt32?
    public var channels: UInt32?
    /// As alsa-lib or FFmpeg calls it: `S16_LE`, `s16`.
    public var format: String?
    /// Frames in a message; nil for about 10 ms.
    public var period: UInt?
    /// Frames that the device keeps for us; nil for eight periods.
    public var buffer: UInt?
    /// Wait for it to come back when it was unplugged, instead of ending the stream.
    public var waits = false

    public init(device: String) { self.device = device }
}
