import Foundation
import SystemPackage

/// A thread for what blocks: the threads of tasks are as few as processors, and tests wait on them for each other.
final class OtherThread: @unchecked Sendable {
    // Sendable: `result` is written before the semaphore is raised, and read after.
    private let done = DispatchSemaphore(value: 0)
    private var result: Errno?

    /// - Parameter body: returns what went wrong, if anything.
    init(_ body: @escaping @Sendable () -> Errno?) {
        Thread.detachNewThread {
            self.result = body()
            self.done.signal()
        }
    }

    func wait() -> Errno? {
        done.wait()
        return result
    }
}
