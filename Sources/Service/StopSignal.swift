import Glibc
import IPNSystem
package import Media
package import SystemPackage

/// Ctrl-C and its like, for loops that poll and for libraries that block: one thread waits for the signals, raises
/// the flag that libav looks at, and an event counter that poll(2) sees.
package final class StopSignal: Sendable {
    package let flag = StopFlag()
    private let request: EventCounter

    /// Readable once somebody asked to stop; stays so.
    package var descriptor: CInt { request.descriptor.raw }
    package var isRaised: Bool { flag.isRaised }

    /// Blocks SIGINT, SIGTERM and SIGHUP in this thread and those that it starts: make it before any other thread.
    package init() throws(Errno) {
        request = try EventCounter()
        var set = Self.signals
        pthread_sigmask(SIG_BLOCK, &set, nil)
        // A reader of ours that goes away is an error of write(2), not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        try startThread { self.wait() }
    }

    /// Stops as if a signal had come.
    package func raise() {
        flag.raise()
        request.raise()
    }

    /// Stops at a time as if a signal had come, whatever else is going on.
    /// - Parameter due: nanoseconds on CLOCK_MONOTONIC.
    package func raise(at due: Int64) throws(Errno) {
        try startThread { [self] in
            var time = timespec(tv_sec: Int(due / 1_000_000_000), tv_nsec: Int(due % 1_000_000_000))
            while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
            raise()
        }
    }

    private static var signals: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&set, number) }
        return set
    }

    private func wait() {
        var set = Self.signals
        var number: CInt = 0
        sigwait(&set, &number)
        raise()
        // Who asks twice does not want to wait for what the first time began. A terminal and a supervisor may both ask
        // at the same moment; that is once.
        let first = monotonicNanoseconds()
        repeat { sigwait(&set, &number) } while monotonicNanoseconds() - first < 500_000_000
        _exit(128 + number)
    }
}
