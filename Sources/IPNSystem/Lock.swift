import CLinux
import Glibc

/// A mutual exclusion lock for the control plane. See pthread_mutex_lock(3).
package final class Lock: @unchecked Sendable {
    // Sendable: the mutex is at a constant address, and made for many threads.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>

    private let condition: UnsafeMutablePointer<pthread_cond_t>

    /// - Parameter isHeldOverForks: for what a forked child goes on with. No thread is then amid what the lock guards when a
    ///   process forks. Nobody may wait for another such lock, or for long, while holding it.
    package init(isHeldOverForks: Bool = false) {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        condition = .allocate(capacity: 1)
        condition.initialize(to: pthread_cond_t())
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
        if isHeldOverForks { precondition(linux_hold_over_forks(mutex) == 0, "no memory for a lock") }
    }

    deinit {
        pthread_cond_destroy(condition)
        condition.deallocate()
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    package func lock() {
        if tryLock() { return }
        let wasInside = linux_fall_asleep()
        pthread_mutex_lock(mutex)
        linux_wake_up(wasInside)
    }
    package func tryLock() -> Bool { pthread_mutex_trylock(mutex) == 0 }
    package func unlock() { pthread_mutex_unlock(mutex) }

    /// Frees it in a forked child, where the thread that held it is not.
    package func renew() { pthread_mutex_init(mutex, nil) }

    /// Lets go of the lock until somebody says that something has changed, and takes it again. See pthread_cond_wait(3).
    /// - Parameter deadline: nanoseconds on CLOCK_MONOTONIC.
    /// - Returns: false when that is over.
    package func wait(until deadline: UInt64) -> Bool {
        var time = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
        let wasInside = linux_fall_asleep()
        defer { linux_wake_up(wasInside) }
        return pthread_cond_timedwait(condition, mutex, &time) == 0
    }

    /// Says so to all who wait. The caller holds the lock.
    package func wakeWaiters() { pthread_cond_broadcast(condition) }
}
