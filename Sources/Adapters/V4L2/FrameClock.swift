import Media

/// What a driver's sequence numbers and times mean. Pure logic.
///
/// A gap in the numbers is pictures that the driver dropped. Numbers that stand still count nothing, and numbers that go back
/// are those of a driver that began anew. A time that is far from now is none of CLOCK_MONOTONIC (or it wrapped): then the
/// picture's time is that of its arrival.
struct FrameClock {
    /// A time of the driver's is believed that close to now, nanoseconds.
    private let reach: Int64 = 2_000_000_000
    private var expected: UInt32?
    private var lost: UInt32 = 0
    private var isBroken = false
    private var lastTime: Int64?
    /// Whether the last time was the driver's; nil before the first.
    private(set) var isDriversTime: Bool?

    /// Nobody looked: the numbers begin anew, and nothing was lost.
    mutating func restart() {
        expected = nil
        lost = 0
    }

    /// The device itself began anew: what was between is missing, a picture at least.
    mutating func interrupt() {
        expected = nil
        lost &+= 1
        isBroken = true
    }

    private mutating func follow(_ sequence: UInt32) {
        if let expected {
            let gap = sequence &- expected
            if gap < 1 << 31 { lost &+= gap } else if gap != .max { isBroken = true }
        }
        expected = sequence &+ 1
    }

    /// A buffer without a whole picture.
    mutating func skip(_ sequence: UInt32) {
        follow(sequence)
        lost &+= 1
    }

    /// - Parameters:
    ///   - time: the driver's, nanoseconds; nil where it is of another clock.
    ///   - now: nanoseconds on CLOCK_MONOTONIC.
    mutating func packet(_ sequence: UInt32, time: Int64?, now: Int64) -> CodedPacket {
        follow(sequence)
        let near = time.flatMap { abs($0 &- now) <= reach ? $0 : nil }
        if let isDriversTime, isDriversTime != (near != nil) { isBroken = true }
        isDriversTime = near != nil
        // Neither a driver nor a change of clocks may have time go back.
        let captured = max(near ?? now, (lastTime ?? .min + 1000) + 1000)
        lastTime = captured
        let ticks = TimeBase.microsecond.ticks(captured, from: .nanosecond)
        var packet = CodedPacket(stream: 0, pts: ticks, dts: ticks)
        packet.captureTime = captured
        packet.lost = lost
        packet.isDiscontinuity = isBroken || lost > 0
        lost = 0
        isBroken = false
        return packet
    }
}
