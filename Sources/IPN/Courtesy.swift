import Glibc
import IPNSystem

/// Gives the processor to others for a moment, as long as it comes back soon. See sched_yield(2).
///
/// Where only our counterparts wait for it, that costs less than a sleep. Where others compute, each of them takes its
/// time slice first, and who sleeps instead is back sooner, since the scheduler owes it time.
struct Courtesy {
    /// On CLOCK_MONOTONIC.
    private var next: UInt64 = 0
    /// Nanoseconds: sixteen busy counterparts on two processors take less, and who computes takes a time slice or more.
    private static let most: UInt64 = 5_000_000
    /// One part in so many of the time, at the most, goes to those who take longer.
    private static let share: UInt64 = 64

    /// - Returns: whether it was given away: false where that has taken long not long ago.
    mutating func yield() -> Bool {
        let before = clockNanoseconds()
        guard before >= next else { return false }
        sched_yield()
        let taken = clockNanoseconds() &- before
        if taken > Self.most { next = before &+ taken &* Self.share }
        return true
    }
}
