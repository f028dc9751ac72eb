public import CIPN

/// The words of `ipn_delays`: how long messages had been under way when this reader took them, and what it misses.
///
/// RT safe: two words of the reader's own are loaded and stored.
@frozen
public struct DelayTally {
    public let base: UnsafeRawPointer

    /// - Parameter base: start of an `ipn_delays`.
    @inlinable
    public init(base: UnsafeRawPointer) { self.base = base }

    @inlinable public var sum: SharedWord { SharedWord(base, Int(IPN_DELAYS_SUM)) }
    @inlinable public var skew: SharedWord { SharedWord(base, Int(IPN_DELAYS_SKEW)) }
    @inlinable public var missing: SharedWord { SharedWord(base, Int(IPN_DELAYS_MISSING)) }

    @inlinable
    public func count(_ bucket: Int) -> SharedWord { SharedWord(base, Int(IPN_DELAYS_COUNT) + 8 * bucket) }

    /// Counts a message. The one that reads is the only one that writes, so no read-modify-write is needed.
    /// - Parameter nanoseconds: clocks that were read on two processors may differ: below zero is zero.
    @inlinable
    public func note(_ nanoseconds: Int64) {
        let delay = UInt64(max(nanoseconds, 0))
        let word = count(Self.bucket(of: delay))
        word.store(word.load() &+ 1)
        sum.store(sum.load() &+ delay)
    }

    /// Where a delay is counted.
    @inlinable
    public static func bucket(of nanoseconds: UInt64) -> Int {
        guard nanoseconds >= 1024 else { return 0 }
        let octave = 63 - nanoseconds.leadingZeroBitCount
        let quarter = Int(truncatingIfNeeded: nanoseconds >> UInt64(octave - 2)) & 3
        return min(1 + (octave - 10) * 4 + quarter, Int(IPN_DELAY_BUCKETS) - 1)
    }

    /// The shortest delay, in nanoseconds, that a bucket counts.
    public static func start(of bucket: Int) -> UInt64 {
        bucket == 0 ? 0 : UInt64(4 + (bucket - 1) % 4) << UInt64(8 + (bucket - 1) / 4)
    }
}
