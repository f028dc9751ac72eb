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
    var watch = Watch(wanted, wanted.map { $0.fd < 0 ? nil : try? SocketTable.find($0.fd) })
    let end = nanoseconds.map { clockNanoseconds() + $0 } ?? .max
    while true {
        let found = watch.lookAtOurs(wanted)
        let now = clockNanoseconds()
        let left = found > 0 || end <= now ? 0 : end - now
        var time = timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
        let isEndless = left > 0 && end == .max
        do {
            let wasBusy = linux_let_handlers_in()
            defer { linux_keep_handlers_out(wasBusy) }
            _ = try systemCall(retryOnInterrupt: false, sleeps: true) {
                withUnsafePointer(to: &time) { linux_ppoll(&watch.entries, nfds_t(watch.entries.count), isEndless ? nil : $0, mask) }
            }
        }
        let (others, isStruck) = watch.takeUp(wanted)
        let ready = found + others
        if ready > 0 || (left == 0 && (!isStruck || end <= clockNanoseconds())) { return ready }
    }
}

/// What the kernel is asked on behalf of a poll.
private struct Watch: ~Copyable {
    /// The program's own, and of ours only whether there is something to look at; behind them those that are watched by edges.
    var entries: [pollfd]
    private let sockets: [Socket?]
    /// Those whose handle was struck for nothing before.
    private var settled: Set<Int> = []
    /// Of ours those that something lies in which nobody here asks for: their handles stay readable as long as it does.
    private var edges: Poller?

    init(_ wanted: UnsafeMutableBufferPointer<pollfd>, _ sockets: [Socket?]) {
        self.sockets = sockets
        entries = zip(wanted, sockets).map { entry, socket in socket.map { pollfd(fd: $0.pollable, events: Int16(POLLIN), revents: 0) } ?? entry }
    }

    /// - Returns: how many of ours are ready.
    func lookAtOurs(_ wanted: UnsafeMutableBufferPointer<pollfd>) -> CInt {
        var ready: CInt = 0
        for (index, socket) in sockets.enumerated() {
            guard let socket else { continue }
            wanted[index].revents = socket.readiness(wanted[index].events)
            if wanted[index].revents != 0 { ready += 1 }
        }
        return ready
    }

    /// Takes what the kernel has told.
    /// - Returns: how many more are ready, and whether one of ours is worth another look.
    mutating func takeUp(_ wanted: UnsafeMutableBufferPointer<pollfd>) -> (ready: CInt, isStruck: Bool) {
        var ready: CInt = 0
        var struck: [Int] = []
        for (index, socket) in sockets.enumerated() where entries[index].revents != 0 || socket == nil {
            if socket != nil {
                struck.append(index)
            } else {
                wanted[index].revents = entries[index].revents
                if entries[index].revents != 0 { ready += 1 }
            }
        }
        let isByEdge = entries.count > sockets.count && entries[sockets.count].revents != 0
        let told = isByEdge ? (try? edges?.wait(milliseconds: 0)) ?? [] : []
        for index in struck + told.map({ Int($0.token) }) where wanted[index].revents == 0 {
            guard let socket = sockets[index] else { continue }
            if socket.isClosed {
                // By another thread, and its number may be something else's.
                wanted[index].revents = Int16(POLLNVAL)
                ready += 1
            } else {
                socket.settle()
                // Readable again: then for what is not asked for, which must not wake twice.
                if !settled.insert(index).inserted { watchByEdges(index) }
            }
        }
        return (ready, isByEdge || !struck.isEmpty)
    }

    private mutating func watchByEdges(_ index: Int) {
        guard entries[index].fd >= 0 else { return }
        if edges == nil {
            // Without a number that is free it goes on as it is, and wakes too often.
            guard let made = try? Poller() else { return }
            entries.append(pollfd(fd: made.descriptor.raw, events: Int16(POLLIN), revents: 0))
            edges = consume made
        }
        do throws(Errno) {
            try edges?.addForEdges(entries[index].fd, token: UInt64(index))
        } catch {
            // The same number twice in a list is told once, and both are looked at.
            guard error == .fileExists else { return }
        }
        entries[index].fd = -1
    }
}
