package import CLibAV
package import Media
private import Synchronization

/// What libav asks while it blocks: whether to give up, because somebody said so or time is over.
package final class Interruption: Sendable {
    package let stop: StopFlag
    /// Nanoseconds on CLOCK_MONOTONIC; .max: none.
    private let deadline = Atomic<Int64>(.max)

    package init(_ stop: StopFlag) { self.stop = stop }

    package var isPastDeadline: Bool { monotonicNanoseconds() >= deadline.load(ordering: .relaxed) }
    package var isDue: Bool { stop.isRaised || isPastDeadline }

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
