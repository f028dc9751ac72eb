import CLinux
import Glibc
import IPNSystem

/// Points in time on CLOCK_MONOTONIC, in nanoseconds; 0 is "now", the largest is "never".
package enum Deadline {
    package static let never = UInt64.max

    package static func after(_ timeout: Duration?) -> UInt64 {
        guard let timeout else { return never }
        guard timeout > .zero else { return 0 }
        let (seconds, attoseconds) = timeout.components
        let (nanoseconds, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return never }
        let (end, late) = clockNanoseconds().addingReportingOverflow(
            nanoseconds &+ UInt64(attoseconds / 1_000_000_000))
        return late ? never : end
    }

    /// Time that is left, zero where none is; nil for as long as it takes.
    package static func left(until deadline: UInt64) -> Duration? {
        if deadline == never { return nil }
        if deadline == 0 { return .zero }
        let now = clockNanoseconds()
        return deadline > now ? .nanoseconds(Int64(clamping: deadline - now)) : .zero
    }

    /// What poll(2) wants; nil where the time is over. Rounded up: never early.
    static func milliseconds(until deadline: UInt64) -> CInt? {
        if deadline == never { return -1 }
        let now = clockNanoseconds()
        guard deadline > now else { return nil }
        return CInt(min((deadline - now + 999_999) / 1_000_000, UInt64(CInt.max)))
    }
}

@inline(__always)
func spinPause() { linux_pause() }
