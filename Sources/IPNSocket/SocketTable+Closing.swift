import CLinux
import Glibc
import IPNSystem
package import SystemPackage

/// How a socket leaves: with the last of its numbers, also of those that dup(2) has made without a word.
extension SocketTable {
    /// Closes a number; the socket leaves with its last one.
    ///
    /// The number goes before the node does, and leaves the table in the same moment: else another thread's call would find a
    /// handle without a socket, and take it up as one that was inherited.
    package static func close(_ raw: CInt) throws(Errno) {
        lock.lock()
        let entry = sockets.removeValue(forKey: raw)
        guard entry != nil || isHandle(raw) else {
            lock.unlock()
            throw Errno(rawValue: isInner(raw) || linux_fcntl(raw, F_GETFD, 0) < 0 ? EBADF : ENOTSOCK)
        }
        if let entry { loosen(entry) }
        _ = Glibc.close(raw)
        lock.unlock()
        if let entry { drop(entry) }
    }

    /// Forgets a number that is closed, or something else's by now.
    /// - Throws: `ENOTSOCK` where it was none of ours.
    package static func forget(_ raw: CInt) throws(Errno) {
        lock.lock()
        let entry = sockets.removeValue(forKey: raw)
        if let entry { loosen(entry) }
        lock.unlock()
        guard let entry else { throw Errno(rawValue: ENOTSOCK) }
        drop(entry)
    }

    /// What was inherited and never used is no node of this process: nothing is made of it to be left. With `lock` held.
    private static func isHandle(_ raw: CInt) -> Bool {
        if isInner(raw) { return false }
        if Handle.name(of: raw) != nil { return true }
        guard let status = try? FileStatus(descriptor: raw) else { return false }
        return owner(of: status) != nil
    }

    /// One of a socket's numbers is not in the table any more: where it was the last, the socket is loose. With `lock` held.
    static func loosen(_ entry: Entry) {
        if entry.generation == generation, !isKnown(entry.socket) { loose[entry.socket.serial] = entry }
    }

    /// Ends a socket that has no number left. A parent's object stands for the parent's node: it is left alone, for good.
    static func drop(_ entry: Entry) {
        let socket = entry.socket
        lock.lock()
        let isOwn = entry.generation == generation
        let isLoose = loose[socket.serial] != nil
        lock.unlock()
        guard isOwn else { return _ = Unmanaged.passRetained(socket) }
        guard isLoose else { return }
        // Beside the lock, which each call needs: what is found is looked at once more.
        let candidates = numbers(of: socket)
        lock.lock()
        var others: [Entry] = []
        for number in candidates {
            guard let status = try? FileStatus(descriptor: number), socket.isDescription(of: status) else { continue }
            if let other = put(socket, at: number) { others.append(other) }
        }
        let leaves = loose.removeValue(forKey: socket.serial) != nil && !isKnown(socket)
        lock.unlock()
        for other in others { drop(other) }
        guard leaves, let loan = socket.close() else { return }
        lock.lock()
        abandoned[loan] = socket
        lock.unlock()
    }

    /// With `lock` held.
    private static func isKnown(_ socket: Socket) -> Bool { sockets.values.contains { $0.socket === socket } }

    /// The program's numbers for a socket. Without /proc those that it has told of are all.
    private static func numbers(of socket: Socket) -> [CInt] {
        let opened = linux_open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        guard opened >= 0 else { return [] }
        let raw = linux_own(opened)
        guard let folder = fdopendir(raw) else {
            linux_disown(raw)
            _ = Glibc.close(raw)
            return []
        }
        defer {
            linux_disown(raw)
            closedir(folder)
        }
        var found: [CInt] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self) }
            let number = atoi(name)
            guard name.pointee != CChar(UInt8(ascii: ".")), !isInner(number) else { continue }
            if let status = try? FileStatus(descriptor: number), socket.isDescription(of: status) { found.append(number) }
        }
        return found
    }
}
