package import CLibAV
package import Media
private import Synchronization

/// What libav asks while it blocks: whether to give up, because somebody said so or time is over.
package final class Interruption: Sendable {
    package let stop: StopFlag
    /// Nanoseconds on CLOCK_MONOTONIC; .max: none.
    private let deadline = Atomic<Int64>(.max)
    /// How long work may go on after a stop, and until when that is, once a stop was seen.
    private let grace = Atomic<Int64>(0)
    private let graceEnd = Atomic<Int64>(.max)

    package init(_ stop: StopFlag) { self.stop = stop }

    package var isPastDeadline: Bool { monotonicNanoseconds() >= deadline.load(ordering: .relaxed) }
    package var isDue: Bool { isStopDue || isPastDeadline }

    /// Somebody said so, and the time to bring things to an end is over.
    private var isStopDue: Bool {
        guard stop.isRaised else { return false }
        let grace = grace.load(ordering: .relaxed)
        guard grace > 0 else { return true }
        let now = monotonicNanoseconds()
        let end = now.addingReportingOverflow(grace)
        let (_, first) = graceEnd.compareExchange(
            expected: .max, desired: end.overflow ? .max - 1 : end.partialValue, ordering: .relaxed)
        return now >= first && first != .max
    }

    /// From now on a stop ends what goes on only after that time: what was begun is to be ended well.
    /// - Parameter nanoseconds: `.max` for things that cannot hang.
    package func setGrace(_ nanoseconds: Int64) { grace.store(nanoseconds, ordering: .relaxed) }

    /// From now on until `clearDeadline`.
    /// - Parameter nanoseconds: from now.
    package func setDeadline(in nanoseconds: Int64) {
        deadline.store(monotonicNanoseconds() &+ nanoseconds, ordering: .relaxed)
    }

    package func clearDeadline() { deadline.store(.max, ordering: .relaxed) }

    /// For AVFormatContext and avio_open2, which borrow it: the owner of both must outlive them.
    package var callback: AVIOInterruptCB {
        AVIOInterruptCB(
            callback: { pointer in
                guard let pointer else { return 0 }
                return Unmanaged<Interruption>.fromOpaque(pointer).takeUnretainedValue().isDue ? 1 : 0
            }, opaque: Unmanaged.passUnretained(self).toOpaque())
    }
}
