// swift-format-ignore-file: AlwaysUseLowerCamelCase
public import CIPN
import CLinux
public import Glibc
import IPNSocket
import IPNSystem
import SystemPackage

/// poll(2) over descriptors of either kind: what is ours is asked, what is not is left to the kernel, and a handle that was
/// struck for nothing wakes nobody.
@c @implementation
public func ipn_poll(_ descriptors: UnsafeMutablePointer<pollfd>!, _ count: nfds_t, _ milliseconds: CInt) -> CInt {
    answer { () throws(Errno) in
        try wait(descriptors, count, nanoseconds: milliseconds < 0 ? nil : UInt64(milliseconds) * 1_000_000, mask: nil)
    }
}

@c @implementation
public func ipn_ppoll(
    _ descriptors: UnsafeMutablePointer<pollfd>!, _ count: nfds_t, _ timeout: UnsafePointer<timespec>!,
    _ mask: UnsafePointer<sigset_t>!
) -> CInt {
    answer { () throws(Errno) in
        guard let time = timeout?.pointee else { return try wait(descriptors, count, nanoseconds: nil, mask: mask) }
        guard time.tv_sec >= 0, (0..<1_000_000_000).contains(time.tv_nsec) else { throw Errno.invalidArgument }
        // A time-out of centuries is none.
        let seconds = UInt64(time.tv_sec)
        let nanoseconds = seconds > 1 << 32 ? nil : seconds * 1_000_000_000 + UInt64(time.tv_nsec)
        return try wait(descriptors, count, nanoseconds: nanoseconds, mask: mask)
    }
}

@c @implementation
public func ipn_arrivals(_ descriptor: CInt) -> UInt64 {
    let wasInside = linux_enter()
    defer { linux_leave(wasInside) }
    return (try? SocketTable.find(descriptor))?.arrivals() ?? 0
}

/// - Parameters:
///   - nanoseconds: nil for as long as it takes.
///   - mask: signals that are blocked while it waits, and only then; nil for those that are blocked anyway.
private func wait(
    _ descriptors: UnsafeMutablePointer<pollfd>?, _ count: nfds_t, nanoseconds: UInt64?, mask: UnsafePointer<sigset_t>?
) throws(Errno) -> CInt {
    var most = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &most) == 0, count <= most.rlim_cur else { throw Errno.invalidArgument }
    guard descriptors != nil || count == 0 else { throw Errno.badAddress }
    let wanted = UnsafeMutableBufferPointer(start: descriptors, count: Int(count))
    let sockets = wanted.map { $0.fd < 0 ? nil : try? SocketTable.find($0.fd) }
    // Of ours, only that there is something to look at.
    var watched = zip(wanted, sockets).map { $1 == nil ? $0 : pollfd(fd: $0.fd, events: Int16(POLLIN), revents: 0) }
    let end = nanoseconds.map { clockNanoseconds() + $0 } ?? .max
    while true {
        var ready: CInt = 0
        for (index, socket) in sockets.enumerated() where socket != nil {
            wanted[index].revents = socket!.readiness(wanted[index].events)
            if wanted[index].revents != 0 { ready += 1 }
        }
        let now = clockNanoseconds()
        let left = ready > 0 || end <= now ? 0 : end - now
        var time = timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
        let isEndless = left > 0 && end == .max
        _ = try systemCall(retryOnInterrupt: false, sleeps: true) {
            withUnsafePointer(to: &time) { linux_ppoll(&watched, nfds_t(watched.count), isEndless ? nil : $0, mask) }
        }
        var isStruck = false
        for (index, entry) in watched.enumerated() {
            if sockets[index] == nil {
                wanted[index].revents = entry.revents
                if entry.revents != 0 { ready += 1 }
            } else if entry.revents != 0 {
                isStruck = true
                if wanted[index].revents == 0 { sockets[index]!.settle() }
            }
        }
        if ready > 0 || (left == 0 && (!isStruck || end <= clockNanoseconds())) { return ready }
    }
}
