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
        let wanted = UnsafeMutableBufferPointer(start: descriptors, count: Int(count))
        let sockets = wanted.map { $0.fd < 0 ? nil : try? SocketTable.find($0.fd) }
        // Of ours, only that there is something to look at.
        var watched = zip(wanted, sockets).map { $1 == nil ? $0 : pollfd(fd: $0.fd, events: Int16(POLLIN), revents: 0) }
        let end = milliseconds < 0 ? UInt64.max : clockNanoseconds() + UInt64(milliseconds) * 1_000_000
        while true {
            var ready: CInt = 0
            for (index, socket) in sockets.enumerated() where socket != nil {
                wanted[index].revents = socket!.readiness(wanted[index].events)
                if wanted[index].revents != 0 { ready += 1 }
            }
            let now = clockNanoseconds()
            let left = ready > 0 || end <= now ? 0 : end == .max ? -1 : CInt(clamping: (end - now + 999_999) / 1_000_000)
            _ = try systemCall(retryOnInterrupt: false) { poll(&watched, nfds_t(watched.count), left) }
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
            if ready > 0 || (!isStruck && left == 0) || (end <= clockNanoseconds() && left == 0) { return ready }
        }
    }
}
