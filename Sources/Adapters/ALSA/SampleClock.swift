import Media

/// Time stamps of periods: frames counted, which carry no jitter, laid on CLOCK_MONOTONIC where the count begins. Pure logic,
/// RT safe.
struct SampleClock {
    /// Hz, and frames.
    let rate: Int64
    let period: Int64
    private var next: Int64?
    /// When the period after the last one would have been captured. The count may be far from this clock: cards have their own.
    private var expected: Int64 = 0
    private var isBroken = false

    init(rate: Int64, period: Int64) {
        self.rate = rate
        self.period = period
    }

    /// Nobody listened: the count begins anew, and nothing was lost.
    mutating func restart() { next = nil }

    /// What comes next does not follow what came before.
    mutating func interrupt() { isBroken = next != nil }

    /// - Parameter captured: when its first frame was, nanoseconds on CLOCK_MONOTONIC.
    mutating func packet(captured: Int64) -> CodedPacket {
        let timeBase = TimeBase(1, Int32(rate)) ?? .nanosecond
        var ticks = next ?? timeBase.ticks(captured, from: .nanosecond)
        var lost: Int64 = 0
        if isBroken {
            // As long as the device says, so that what follows is where it belongs; something was lost, even if less than half a period.
            let gap = max(0, timeBase.ticks(captured - expected, from: .nanosecond))
            ticks += gap
            lost = max(1, (gap + period / 2) / period)
        }
        var packet = CodedPacket(stream: 0, pts: ticks, dts: ticks)
        packet.duration = period
        packet.isKey = true
        packet.captureTime = captured
        packet.isDiscontinuity = isBroken
        packet.lost = UInt32(clamping: lost)
        next = ticks + period
        expected = captured + period * 1_000_000_000 / rate
        isBroken = false
        return packet
    }
}
