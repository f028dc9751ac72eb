import CIPN
import CLinux
import Glibc
import IPN
import IPNSystem
package import SystemPackage

/// The sockets of this process, by descriptor.
///
/// A descriptor may become known in four ways: it was opened here; it was said to be a duplicate; it is one without a word, as it
/// is of the same open socket; or it carries a handle's name, because it was inherited through exec or came over a Unix socket.
/// A forked child has all its parent's numbers and none of its nodes: the first use of each makes one of its own.
package enum SocketTable {
    static let lock = Lock(isHeldOverForks: true)
    /// Held while an inherited socket is taken up, which asks the keeper.
    private static let adopting = Lock()
    /// With `lock` held.
    nonisolated(unsafe) static var sockets: [CInt: Entry] = [:]
    /// Those whose last known number was closed, by `Socket.serial`: they leave unless another is found. With `lock` held.
    nonisolated(unsafe) static var loose: [UInt: Entry] = [:]
    /// Sockets that were closed while a program had a loan, by its number: the memory is there until that is given back. With
    /// `lock` held.
    nonisolated(unsafe) static var abandoned: [UInt: Socket] = [:]
    /// How many forks lie between this process and the one that opened the first socket, and where that is written down
    /// again in each: fork(2)'s handlers are not run for every child. With `lock` held.
    nonisolated(unsafe) private static var forks = 0
    nonisolated(unsafe) private static var mark: UnsafeMutablePointer<Int>?

    struct Entry {
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
    static var generation: Int {
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
        let old = put(socket, at: raw)
        lock.unlock()
        if let old { drop(old) }
    }

    /// With `lock` held.
    /// - Returns: whose number it was, and was closed behind our back: to be dropped once the lock is free.
    static func put(_ socket: Socket, at raw: CInt) -> Entry? {
        let old = sockets.updateValue(Entry(socket: socket, generation: generation), forKey: raw)
        guard let old, old.socket !== socket else { return nil }
        loosen(old)
        return old
    }

    /// The loan of a socket that was closed meanwhile is given back, whatever has its number now.
    /// - Returns: whether it was one.
    package static func abandon(loan: UInt) -> Bool {
        lock.lock()
        let socket = abandoned.removeValue(forKey: loan)
        lock.unlock()
        return socket != nil
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
        guard !isInner(raw), let status = try? FileStatus(descriptor: raw) else { throw Errno.badFileDescriptor }
        guard status.isSocket else { throw Errno(rawValue: ENOTSOCK) }
        return try adopt(raw, status, from: entry?.socket)
    }

    /// Whether a number is the library's own, as one that was closed may be by now: to the program there is nothing.
    static func isInner(_ raw: CInt) -> Bool { raw >= 0 && linux_next_own(CUnsignedInt(raw)) == CUnsignedInt(raw) }

    /// Makes a socket of one that is known by its name alone, or by its parent's memory.
    ///
    /// - Parameter status: the number's, as it was found: another thread may close it meanwhile.
    private static func adopt(_ raw: CInt, _ status: FileStatus, from parent: Socket?) throws(Errno) -> Socket {
        // Before it is connected it has no name: then only who has it already can tell.
        let isNamed = Handle.name(of: raw) != nil
        guard parent != nil || isNamed || linux_is_unix_datagram(raw) != 0 else { throw Errno(rawValue: ENOTSOCK) }
        adopting.lock()
        defer { adopting.unlock() }
        try prepareForForks()
        if let known = try known(raw, status) { return known }
        guard parent != nil || isNamed else { throw Errno(rawValue: ENOTSOCK) }
        let old = Descriptor(owning: try systemCall { linux_fcntl(raw, F_DUPFD_CLOEXEC, 0) })
        let socket = try Socket(claiming: old, parent: parent)
        // A parent's object stands for the parent's node: it is left alone, for good.
        if let parent { _ = Unmanaged.passRetained(parent) }
        lock.lock()
        let isThere = isStill(raw, status)
        if isThere {
            let now = generation
            let numbers = [raw] + sockets.filter { $0.key != raw && parent != nil && $0.value.socket === parent }.keys
            for number in numbers {
                if !socket.isDescription(of: status) {
                    let isInherited = linux_fcntl(number, F_GETFD, 0) & FD_CLOEXEC == 0
                    _ = linux_dup3(socket.handle.raw, number, isInherited ? 0 : O_CLOEXEC)
                }
                sockets[number] = Entry(socket: socket, generation: now)
            }
        }
        lock.unlock()
        guard isThere else {
            _ = socket.close()
            throw Errno.badFileDescriptor
        }
        return socket
    }

    /// Another thread was faster; or it is a duplicate that nobody spoke of.
    private static func known(_ raw: CInt, _ status: FileStatus) throws(Errno) -> Socket? {
        lock.lock()
        let now = generation
        if let entry = sockets[raw], entry.generation == now {
            lock.unlock()
            return entry.socket
        }
        let isThere = isStill(raw, status)
        let socket = owner(of: status)
        let old = isThere ? socket.flatMap { put($0, at: raw) } : nil
        lock.unlock()
        if let old { drop(old) }
        guard isThere else { throw Errno.badFileDescriptor }
        return socket
    }

    /// Whose description it is, of those that this process has opened or taken up. With `lock` held.
    static func owner(of status: FileStatus) -> Socket? {
        let now = generation
        func isOwner(_ entry: Entry) -> Bool { entry.generation == now && entry.socket.isDescription(of: status) }
        return (sockets.values.first(where: isOwner) ?? loose.values.first(where: isOwner))?.socket
    }

    /// Whether a number is what it was. With `lock` held, without which none of ours is closed.
    private static func isStill(_ raw: CInt, _ status: FileStatus) -> Bool {
        (try? FileStatus(descriptor: raw))?.isSameFile(as: status) ?? false
    }

    /// Another number for a socket, as dup(2) gave it.
    package static func duplicated(_ raw: CInt, _ made: CInt) throws(Errno) {
        lock.lock()
        let entry = sockets[made]
        let now = generation
        lock.unlock()
        // Found already, by who has closed the other one.
        if let entry, entry.generation == now, let status = try? FileStatus(descriptor: made), entry.socket.isDescription(of: status) { return }
        keep(made, try find(raw))
    }
}
