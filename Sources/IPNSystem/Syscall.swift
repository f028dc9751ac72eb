package import SystemPackage
import CLinux
import Glibc

/// Runs one system call and captures `errno` at once.
///
/// - Parameters:
///   - retryOnInterrupt: repeats the call while a signal cuts it short (`EINTR`). The only loop of this kind.
///   - sleeps: whether the call may take long: a fork(2) of another thread does not wait for it.
/// - Throws: what the call left in `errno`.
@inline(__always)
package func systemCall<Result: FixedWidthInteger & SignedInteger>(
    retryOnInterrupt: Bool = true, sleeps: Bool = false, _ body: () -> Result
) throws(Errno) -> Result {
    while true {
        let wasInside = sleeps ? linux_fall_asleep() : 0
        let result = body()
        if sleeps { linux_wake_up(wasInside) }
        if result >= 0 { return result }
        let code = linux_errno()
        if code == EINTR && retryOnInterrupt { continue }
        throw Errno(rawValue: code)
    }
}

/// usleep(3), for which a fork(2) of another thread does not wait.
package func pause(microseconds: UInt32) {
    let wasInside = linux_fall_asleep()
    usleep(microseconds)
    linux_wake_up(wasInside)
}

/// CLOCK_MONOTONIC in nanoseconds: the one clock of every time stamp on a network.
@inline(__always)
package func clockNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
}
