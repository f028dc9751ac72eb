/// When a packet is due: its time stamps laid on CLOCK_MONOTONIC. Pure logic; it neither reads a clock nor
/// sleeps.
public struct MediaClock: Sendable {
    /// A jump of the time stamps by more than this, in nanoseconds, is a new beginning, not a wait.
    public let longestWait: Int64
    /// Whoever is later than this, in nanoseconds, does not hurry to catch up, but goes on from here.
    public let longestDelay: Int64
    /// What is due later by as much as the clock was moved, in nanoseconds; nil before the first packet.
    private var origin: Int64?
    private let speed: Double

    /// - Parameter speed: media time for each second of the clock; more than 0.
    public init(longestWait: Int64 = 10_000_000_000, longestDelay: Int64 = 1_000_000_000, speed: Double = 1) {
        self.speed = speed
        self.longestWait = longestWait
        self.longestDelay = longestDelay
    }

    /// When these ticks are due. The first are due now, and so are the first after a jump or a long delay.
    /// - Parameter now: nanoseconds on CLOCK_MONOTONIC.
    /// - Returns: nanoseconds on CLOCK_MONOTONIC, maybe past.
    public mutating func due(_ ticks: Int64, _ timeBase: TimeBase, now: Int64) -> Int64 {
        let media = length(ticks, timeBase)
        if let origin {
            let due = Int64(clamping: Int128(origin) + Int128(media))
            if Int128(due) - Int128(now) <= Int128(longestWait), Int128(now) - Int128(due) <= Int128(longestDelay) {
                return due
            }
        }
        origin = Int64(clamping: Int128(now) - Int128(media))
        return now
    }

    /// How long so many ticks take, in nanoseconds on CLOCK_MONOTONIC.
    public func length(_ ticks: Int64, _ timeBase: TimeBase) -> Int64 {
        let media = timeBase.nanoseconds(ticks)
        // A double holds three months of nanoseconds.
        return speed == 1 ? media : Int64(exactly: (Double(media) / speed).rounded()) ?? media
    }

    /// Forgets where it was: the next packet is due when it comes.
    public mutating func restart() { origin = nil }
}
