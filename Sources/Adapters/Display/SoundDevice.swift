/// Where sound goes: interleaved stereo floats. A class, so that tests can put a card of their own behind it.
protocol SoundDevice: AnyObject {
    /// Frames a second.
    var rate: Int32 { get }

    /// Whether it went away for good: a card that was unplugged, a sound server that ended.
    var isGone: Bool { get }

    /// Frames from now until what is written next would be heard; nil if it ran dry, after which it starts anew.
    func delay() -> Int?

    /// Writes without waiting.
    /// - Returns: the frames that had room.
    func write(_ samples: UnsafeBufferPointer<Float>) -> Int
}
