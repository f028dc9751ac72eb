import CLinux
import Glibc
import IPNSystem
import SystemPackage

/// Descriptors that tasks wait for.
extension Watchman {
    /// Suspends the task until a descriptor is readable, or the task is cancelled.
    /// - Throws: `EEXIST` where another task waits for it already; `ENOSPC`, `ENOMEM`.
    func awaitReadable(_ raw: CInt) async throws(Errno) {
        let visit = Visit()
        let failure: Errno? = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard visit.begin(continuation) else { return continuation.resume(returning: nil) }
                do throws(Errno) {
                    try expect(visit, on: raw)
                } catch {
                    visit.end(error)
                }
            }
        } onCancel: {
            visit.end(nil)
        }
        forgetVisit(visit, on: raw)
        if let failure { throw failure }
    }
}

/// One task's wait. Ends once, whoever ends it first.
final class Visit: @unchecked Sendable {
    // Sendable: all is touched with `lock` held.
    private let lock = Lock()
    private var continuation: CheckedContinuation<Errno?, Never>?
    private var isOver = false
    var token: UInt64 = 0

    /// - Returns: false where it has ended already: the task was cancelled first.
    func begin(_ continuation: CheckedContinuation<Errno?, Never>) -> Bool {
        lock.lock()
        defer { lock.unlock() }
        if isOver { return false }
        self.continuation = continuation
        return true
    }

    func end(_ failure: Errno?) {
        lock.lock()
        let waiting = continuation
        continuation = nil
        isOver = true
        lock.unlock()
        waiting?.resume(returning: failure)
    }
}
