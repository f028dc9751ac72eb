package import SystemPackage
import CLinux
import Glibc

/// A set of descriptors to wait for, itself a descriptor that can be waited for. See epoll(7).
package struct Poller: ~Copyable, Sendable {
    package let descriptor: Descriptor

    package init() throws(Errno) {
        descriptor = Descriptor(owning: try systemCall { epoll_create1(CInt(EPOLL_CLOEXEC)) })
    }

    /// Watches for readability (level-triggered) and hang-up. `token` comes back with each event.
    package borrowing func add(_ raw: CInt, token: UInt64) throws(Errno) {
        try add(raw, EPOLLIN.rawValue | EPOLLRDHUP.rawValue, token)
    }

    /// Watches for hang-up alone, and tells of it once.
    package borrowing func addForHangUp(_ raw: CInt, token: UInt64) throws(Errno) {
        try add(raw, EPOLLRDHUP.rawValue | EPOLLONESHOT.rawValue, token)
    }

    /// Watches for readability, and tells of it once.
    package borrowing func addOnce(_ raw: CInt, token: UInt64) throws(Errno) {
        try add(raw, EPOLLIN.rawValue | EPOLLONESHOT.rawValue, token)
    }

    /// Watches for what is to come, and tells of each once, however long it is readable.
    package borrowing func addForEdges(_ raw: CInt, token: UInt64) throws(Errno) {
        try add(raw, EPOLLIN.rawValue | EPOLLET.rawValue, token)
    }

    private borrowing func add(_ raw: CInt, _ events: UInt32, _ token: UInt64) throws(Errno) {
        var event = epoll_event()
        event.events = events
        event.data.u64 = token
        let poller = descriptor.raw
        _ = try systemCall { epoll_ctl(poller, EPOLL_CTL_ADD, raw, &event) }
    }

    package borrowing func remove(_ raw: CInt) {
        var event = epoll_event()
        _ = epoll_ctl(descriptor.raw, EPOLL_CTL_DEL, raw, &event)
    }

    package struct Event {
        package let token: UInt64
        package let isReadable: Bool
        package let isHungUp: Bool
    }

    /// Waits until something happens.
    /// - Parameter milliseconds: how long; -1 for ever.
    /// - Returns: at most 64 events; none after the time is over.
    package borrowing func wait(milliseconds: CInt = -1) throws(Errno) -> [Event] {
        let poller = descriptor.raw
        let room = 64
        var failure: Errno? = nil
        let events = [epoll_event](unsafeUninitializedCapacity: room) { buffer, count in
            do throws(Errno) {
                count = Int(try systemCall(sleeps: true) { epoll_wait(poller, buffer.baseAddress, CInt(room), milliseconds) })
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return events.map {
            Event(
                token: $0.data.u64, isReadable: $0.events & EPOLLIN.rawValue != 0,
                isHungUp: $0.events & (EPOLLHUP.rawValue | EPOLLRDHUP.rawValue | EPOLLERR.rawValue) != 0)
        }
    }
}

/// Waits until one of two descriptors is readable. See poll(2).
///
/// - Parameters:
///   - first: and the other: -1 for none.
///   - milliseconds: how long; -1 for ever.
/// - Returns: whether one was.
/// - Throws: `EINTR` where a signal came first: the caller decides what that means.
package func waitReadable(_ first: CInt, _ second: CInt = -1, milliseconds: CInt) throws(Errno) -> Bool {
    var set = (readable(first), readable(second))
    return try waitForEvents(&set, milliseconds: milliseconds) > 0
}

/// Waits until `first` or `stop` is readable, in one call.
/// - Returns: whether `stop` was.
/// - Throws: as `waitReadable`.
func waitReadable(_ first: CInt, orStop stop: CInt, milliseconds: CInt) throws(Errno) -> Bool {
    var set = (readable(first), readable(stop))
    try waitForEvents(&set, milliseconds: milliseconds)
    return set.1.revents != 0
}

func readable(_ raw: CInt) -> pollfd { pollfd(fd: raw, events: Int16(POLLIN), revents: 0) }

/// poll(2) of two descriptors, which says in `revents` what became of each; -1 for none.
/// - Returns: how many something became of.
@discardableResult
func waitForEvents(_ set: inout (pollfd, pollfd), milliseconds: CInt) throws(Errno) -> CInt {
    try withUnsafeMutablePointer(to: &set) { pointer throws(Errno) in
        let raw = UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: pollfd.self)
        return try systemCall(retryOnInterrupt: false, sleeps: true) { poll(raw, 2, milliseconds) }
    }
}
