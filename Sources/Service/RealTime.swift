import Glibc

/// What a thread that serves a sound card wants of the system.
enum RealTime {
    /// Above everything that is not of the system's own, below its interrupts and watchdogs.
    private static let priority: CInt = 40

    /// Puts this thread under SCHED_FIFO, and keeps the process's pages in memory, those that it has now as they are used. Its
    /// children are started as usual. See sched(7), mlockall(2).
    /// - Returns: a line for what the limits do not allow.
    static func enter() -> [String] {
        var missing: [String] = []
        var parameters = sched_param()
        parameters.sched_priority = priority
        // SCHED_RESET_ON_FORK, which Glibc does not show.
        if sched_setscheduler(0, SCHED_FIFO | 0x4000_0000, &parameters) != 0 {
            missing.append("without real-time priority (\(String(cString: strerror(errno)))); raise the limit rtprio to \(priority)")
        }
        // MCL_CURRENT and MCL_ONFAULT. Not what is mapped later: with a limit that would fail, and pools are large and sparse.
        if mlockall(1 | 4) != 0 {
            missing.append("its memory is not locked (\(String(cString: strerror(errno)))); raise the limit memlock")
        }
        return missing
    }
}
