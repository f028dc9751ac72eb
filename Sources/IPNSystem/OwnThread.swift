import CLinux
import Glibc
package import SystemPackage

/// Starts a thread that nobody waits for. See pthread_create(3).
///
/// Its stack is small: where the kernel promises no more memory than it has (vm.overcommit_memory=2), all of it counts from the
/// start, and the usual 8 MiB are more than everything else that a node takes.
///
/// - Parameter stack: bytes, 16 KiB or more.
/// - Throws: `EAGAIN` where there is no memory for it, or the user has too many threads.
package func startThread(stack: Int = 512 << 10, _ body: @escaping @Sendable () -> Void) throws(Errno) {
    let work = Unmanaged.passRetained(ThreadWork(body))
    let code = linux_start_thread(
        stack,
        { context in
            Unmanaged<ThreadWork>.fromOpaque(context!).takeRetainedValue().body()
            return nil
        }, work.toOpaque())
    guard code == 0 else {
        work.release()
        throw Errno(rawValue: code)
    }
}

private final class ThreadWork: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
