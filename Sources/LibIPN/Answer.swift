import CLinux
import Glibc
import SystemPackage

/// Gives what a call returns to C: its result, or -1 with errno set.
@inline(__always)
func answer<Result: FixedWidthInteger & SignedInteger>(_ body: () throws(Errno) -> Result) -> Result {
    let wasInside = linux_enter()
    defer { linux_leave(wasInside) }
    do throws(Errno) {
        // A signal handler amid a call of this thread: what that call holds it gives back only after the handler's end.
        guard wasInside != CInt(LINUX_INSIDE) else { throw Errno(rawValue: EDEADLK) }
        return try body()
    } catch {
        Glibc.errno = error.rawValue
        return -1
    }
}
