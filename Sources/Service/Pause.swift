import Glibc
import IPN
import IPNSystem
import Media
import SystemPackage

/// Waiting that ends early for whatever matters.
struct Pause {
    let stop: StopSignal

    /// Waits until `due`, or until `descriptor` is readable, or until somebody asks to stop.
    ///
    /// - Parameter due: nanoseconds on CLOCK_MONOTONIC; nil for no end.
    /// - Throws: what poll(2) does.
    func wait(for descriptor: CInt, until due: Int64?) throws {
        var milliseconds: CInt = -1
        if let due {
            let left = due - Media.monotonicNanoseconds()
            guard left > 0 else { return }
            // poll(2) counts in milliseconds: what is left of one is slept, so that a picture is not late by it.
            if left < 1_000_000 {
                var time = timespec(tv_sec: 0, tv_nsec: Int(left))
                nanosleep(&time, nil)
                return
            }
            milliseconds = CInt(min(left / 1_000_000, 1 << 30))
        }
        do throws(Errno) {
            _ = try waitReadable(descriptor, stop.descriptor, milliseconds: milliseconds)
        } catch {
            guard error == .interrupted else { throw error }
        }
    }
}
