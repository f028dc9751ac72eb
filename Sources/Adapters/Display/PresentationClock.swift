import Media

/// When pictures and sound are due: time stamps laid on CLOCK_MONOTONIC by their capture times, and later by the latency.
///
/// Each stream keeps its own offset from time stamps to the clock, so one that is counted by a card's clock and one that is
/// counted by the system's stay together. Pure logic; it neither reads a clock nor sleeps.
struct PresentationClock {
    /// Nanoseconds from capture to screen and ear.
    private(set) var latency: Int64
    private var offsets: [Int: Offset] = [:]

    private struct Offset {
        /// Nanoseconds from time stamp to capture.
        var value: Int64
        /// The capture time that it was taken from.
        var time: Int64
    }

    /// Further off than this is a new beginning: the publisher rested, or began again.
    private static let longestStep: Int64 = 500_000_000
    /// Captures are noted late as often as processes wake up late: a second of them is taken together.
    private static let settling: Double = 1e9
    /// More than this no card and no packet can ask for, nanoseconds.
    private static let longestLatency: Int64 = 5_000_000_000

    init(latency: Int64) { self.latency = latency }

    /// Takes in a packet.
    ///
    /// Packets of a file are let go, and so captured, when they are to be decoded, which is before they are shown where
    /// pictures are reordered: the decoding time belongs to the capture.
    /// - Parameter now: nanoseconds on CLOCK_MONOTONIC, for packets that do not know their capture.
    mutating func note(_ packet: CodedPacket, _ timeBase: TimeBase, now: Int64) {
        guard let ticks = packet.decodingTime else { return }
        let capture = packet.captureTime ?? now
        let sample = Int64(clamping: Int128(capture) - Int128(timeBase.nanoseconds(ticks)))
        guard var offset = offsets[packet.stream] else {
            // What tells no capture comes as it likes: then all of a publication begin together.
            let known = packet.captureTime == nil ? offsets.values.first?.value : nil
            offsets[packet.stream] = Offset(value: known ?? sample, time: capture)
            return
        }
        let step = Int128(sample) - Int128(offset.value)
        if packet.captureTime == nil {
            // Ten seconds of arrivals may lie together; a jump does not.
            if abs(step) > 10_000_000_000 { offset.value = sample }
        } else if abs(step) > Int128(Self.longestStep) {
            offset.value = sample
        } else {
            let share = min(1, max(0, Double(capture &- offset.time) / Self.settling))
            offset.value &+= Int64(Double(step) * share)
        }
        offset.time = capture
        offsets[packet.stream] = offset
    }

    /// When what has this time stamp is to be seen or heard, in nanoseconds on CLOCK_MONOTONIC; nil before its stream's first packet.
    /// - Parameter time: nanoseconds of media time.
    func due(_ stream: Int, _ time: Int64) -> Int64? {
        guard let offset = offsets[stream] else { return nil }
        return Int64(clamping: Int128(offset.value) + Int128(time) + Int128(latency))
    }

    /// Somebody cannot do with less: a sound card that is slow, packets that are long.
    mutating func require(_ least: Int64) { latency = min(max(latency, least), Self.longestLatency) }
}
