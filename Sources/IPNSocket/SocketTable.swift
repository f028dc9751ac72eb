import CIPN
import CLinux
import Glibc
import IPN
import IPNSystem
package import SystemPackage

/// The sockets of this process, by descriptor.
///
/// A descriptor may become known in three ways: it was opened here; it was said to be a duplicate; or it carries a handle's
/// name, because it was inherited through exec, came over a Unix socket, or was duplicated without a word. A forked child
/// has all its parent's numbers and none of its nodes: the first use of each makes one of its own.
package enum SocketTable {
    private static let lock = Lock(isHeldOverForks: true)
    /// Held while an inherited socket is taken up, which asks the keeper.
    private static let adopting = Lock()
    /// With `lock` held.
    nonisolated(unsafe) private static var sockets: [CInt: Entry] = [:]
    /// Sockets that were closed while a program had a loan, by its number: the memory is there until that is given back. With
    /// `lock` held.
    nonisolated(unsafe) private static var abandoned: [UInt: Socket] = [:]
    /// How many forks lie between this process and the one that opened the first socket, and where that is written down
    /// again in each: fork(2)'s handlers are not run for every child. With `lock` held.
    nonisolated(unsafe) private static var forks = 0
    nonisolated(unsafe) private static var mark: UnsafeMutablePointer<Int>?

    private struct Entry {
        var socket: Socket
        var generation: Int
    }

    /// Opens a socket. See socket(2).
    /// - Returns: its descriptor.
    /// - Throws: `EAFNOSUPPORT`, `EPROTOTYPE`, `EPROTONOSUPPORT`, `EMFILE`, `ENFILE`, `ENOMEM`.
    package static func open(domain: CInt, type: CInt, protocolNumber: CInt) throws(Errno) -> CInt {
        let flags = CInt(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        guard domain == AF_IPN || domain == 33 || domain == 13 else { throw Errno(rawValue: EAFNOSUPPORT) }
        guard type & ~flags == CInt(SOCK_RAW.rawValue) else { throw Errno(rawValue: EPROTOTYPE) }
        guard protocolNumber >= 0, Node.isRegistered(protocolNumber: Int(protocolNumber)) else { throw Errno(rawValue: EPROTONOSUPPORT) }
        let handle = Descriptor(
            forProgram: try systemCall { Glibc.socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | (type & flags), 0) })
        let socket = try Socket(handle: handle, protocolNumber: Int(protocolNumber))
        try prepareForForks()
        let raw = handle.release()
        keep(raw, socket)
        return raw
    }

    private static func prepareForForks() throws(Errno) {
        lock.lock()
        defer { lock.unlock() }
        guard mark == nil else { return }
        guard let made = linux_word_cleared_by_fork() else { throw Errno.noMemory }
        forks += 1
        made.pointee = forks
        mark = made
    }

    /// Which process of a line of forks this is. With `lock` held.
    private static var generation: Int {
        guard let mark else { return forks }
        if mark.pointee == 0 {
            forks += 1
            mark.pointee = forks
            // Whoever held it was a thread of the parent's.
            adopting.renew()
        }
        return forks
    }

    private static func keep(_ raw: CInt, _ socket: Socket) {
        lock.lock()
        let now = generation
        // A number that was closed behind our back is a new socket's now.
        let old = sockets.updateValue(Entry(socket: socket, generation: now), forKey: raw)
        lock.unlock()
        if let old { drop(old, now) }
    }

    /// Ends a socket that has no number left. A parent's object stands for the parent's node: it is left alone, for good.
    private static func drop(_ entry: Entry, _ now: Int) {
        if entry.generation != now {
            _ = Unmanaged.passRetained(entry.socket)
        } else if !isKnown(entry.socket), let loan = entry.socket.close() {
            lock.lock()
            abandoned[loan] = entry.socket
            lock.unlock()
        }
    }

    /// The loan of a socket that was closed meanwhile is given back, whatever has its number now.
    /// - Returns: whether it was one.
    package static func abandon(loan: UInt) -> Bool {
        lock.lock()
        let socket = abandoned.removeValue(forKey: loan)
        lock.unlock()
        return socket != nil
    }

    private static func isKnown(_ socket: Socket) -> Bool {
        lock.lock()
        defer { lock.unlock() }
        return sockets.values.contains { $0.socket === socket }
    }

    /// The socket of a descriptor.
    /// - Throws: `EBADF`; `ENOTSOCK` where it is none of ours; `ENOTCONN` for one that was inherited and whose network, or
    ///   place on it, is gone.
    package static func find(_ raw: CInt) throws(Errno) -> Socket {
        lock.lock()
        let entry = sockets[raw]
        let now = generation
        lock.unlock()
        if let entry, entry.generation == now { return entry.socket }
        guard let status = try? FileStatus(descriptor: raw) else { throw Errno.badFileDescriptor }
        guard status.isSocket else { throw Errno(rawValue: ENOTSOCK) }
        return try adopt(raw, from: entry?.socket)
    }

    /// Makes a socket of one that is known by its name alone, or by its parent's memory.
    private static func adopt(_ raw: CInt, from parent: Socket?) throws(Errno) -> Socket {
        adopting.lock()
        defer { adopting.unlock() }
        try prepareForForks()
        // Another thread may have been faster; or it is a duplicate that nobody spoke of.
        let name = Handle.name(of: raw)
        guard parent != nil || name != nil else { throw Errno(rawValue: ENOTSOCK) }
        lock.lock()
        let now = generation
        let known = sockets.first { key, entry in
            entry.generation == now && (key == raw || (name != nil && Handle.name(of: entry.socket.handle.raw) == name))
        }
        lock.unlock()
        if let known {
            if known.key != raw { keep(raw, known.value.socket) }
            return known.value.socket
        }
        let old = Descriptor(owning: try systemCall { linux_fcntl(raw, F_DUPFD_CLOEXEC, 0) })
        let socket = try Socket(claiming: old, parent: parent)
        // A parent's object stands for the parent's node: it is left alone, for good.
        if let parent { _ = Unmanaged.passRetained(parent) }
        lock.lock()
        let numbers = [raw] + sockets.filter { $0.key != raw && parent != nil && $0.value.socket === parent }.keys
        for number in numbers {
            if !socket.isSameDescription(as: old) {
                let isInherited = linux_fcntl(number, F_GETFD, 0) & FD_CLOEXEC == 0
                _ = linux_dup3(socket.handle.raw, number, isInherited ? 0 : O_CLOEXEC)
            }
            sockets[number] = Entry(socket: socket, generation: now)
        }
        lock.unlock()
        return socket
    }

    /// Another number for a socket, as dup(2) gave it.
    package static func duplicated(_ raw: CInt, _ made: CInt) throws(Errno) {
        keep(made, try find(raw))
    }

    /// Forgets a number and closes it; the socket leaves with its last one.
    package static func close(_ raw: CInt) throws(Errno) {
        if !forgets(raw) {
            guard Handle.name(of: raw) != nil else { throw Errno(rawValue: linux_fcntl(raw, F_GETFD, 0) < 0 ? EBADF : ENOTSOCK) }
        }
        _ = Glibc.close(raw)
    }

    /// Forgets a number that is closed, or something else's by now.
    /// - Throws: `ENOTSOCK` where it was none of ours.
    package static func forget(_ raw: CInt) throws(Errno) {
        guard forgets(raw) else { throw Errno(rawValue: ENOTSOCK) }
    }

    /// What was inherited and never used is no node of this process: nothing is made of it to be left, and nothing is left.
    private static func forgets(_ raw: CInt) -> Bool {
        lock.lock()
        let entry = sockets.removeValue(forKey: raw)
        let now = generation
        lock.unlock()
        guard let entry else { return false }
        drop(entry, now)
        return true
    }
}
