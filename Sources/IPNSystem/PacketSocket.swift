package import SystemPackage
package import CLinux
import Glibc

/// A SOCK_SEQPACKET Unix socket: packets keep their borders, descriptors ride along. See unix(7).
package struct PacketSocket: ~Copyable, Sendable {
    package let descriptor: Descriptor

    package init(owning descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    /// A connected pair.
    package static func pair() throws(Errno) -> (CInt, CInt) {
        var ends: (CInt, CInt) = (-1, -1)
        _ = try withUnsafeMutablePointer(to: &ends) { pointer throws(Errno) in
            let raw = UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: CInt.self)
            return try systemCall { socketpair(AF_UNIX, CInt(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0, raw) }
        }
        return ends
    }

    /// Connects to a listener at `path`.
    /// - Parameter milliseconds: how long to wait, here and for what is received, where nobody vouches for the listener; 0 for as long
    ///   as it takes.
    /// - Throws: `ECONNREFUSED`, `ENOENT`, `EACCES`; `ENAMETOOLONG` where the path does not fit an address; `EAGAIN`.
    package init(connectingTo path: String, milliseconds: Int = 0) throws(Errno) {
        let descriptor = Descriptor(
            owning: try systemCall { socket(AF_UNIX, CInt(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0) })
        let raw = descriptor.raw
        if milliseconds > 0 { Self.limitWaiting(raw, milliseconds: milliseconds) }
        _ = try withSocketAddress(path) { address, length in linux_connect(raw, address, length) }
        self.descriptor = descriptor
    }

    /// See socket(7), `SO_RCVTIMEO`.
    private static func limitWaiting(_ raw: CInt, milliseconds: Int) {
        var time = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] { _ = setsockopt(raw, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size)) }
    }

    /// From now on what waits longer is `EAGAIN`.
    /// - Parameter milliseconds: 0 for as long as it takes.
    package borrowing func limitWaiting(milliseconds: Int) { Self.limitWaiting(descriptor.raw, milliseconds: milliseconds) }

    /// Sends one packet.
    /// - Parameter flags: `MSG_DONTWAIT` where it must not block.
    package borrowing func send(_ parts: [UnsafeRawBufferPointer], descriptors: [CInt] = [], flags: CInt = 0) throws(Errno) {
        let raw = descriptor.raw
        let vectors = parts.map { iovec(iov_base: UnsafeMutableRawPointer(mutating: $0.baseAddress), iov_len: $0.count) }
        _ = try systemCall(sleeps: true) {
            linux_send(raw, vectors, vectors.count, descriptors, descriptors.count, flags)
        }
    }

    /// Receives one packet into `buffer`.
    /// - Returns: a packet of length 0 at the end of the connection.
    /// - Throws: `EAGAIN` with `MSG_DONTWAIT`, `EMSGSIZE` for one that does not fit.
    package borrowing func receive(
        into buffer: UnsafeMutableRawBufferPointer, flags: CInt = 0
    ) throws(Errno) -> Packet {
        let raw = descriptor.raw
        var numbers = [CInt](repeating: -1, count: Int(LINUX_MOST_DESCRIPTORS))
        var count = numbers.count
        do throws(Errno) {
            let length = try systemCall(sleeps: true) {
                count = numbers.count
                return linux_receive(raw, buffer.baseAddress, buffer.count, &numbers, &count, flags)
            }
            return Packet(length: length, descriptors: DescriptorList(owning: Array(numbers.prefix(count))))
        } catch {
            // What came with a packet that was cut is closed here.
            _ = DescriptorList(owning: Array(numbers.prefix(count)))
            throw error
        }
    }

    /// Takes in nothing more. What came with descriptors is closed by a thread: closing a socket closes those that wait in it.
    package borrowing func refuseAll() {
        _ = shutdown(descriptor.raw, CInt(SHUT_RD))
        guard linux_holds_descriptors(descriptor.raw) != 0, let last = try? descriptor.duplicate() else { return }
        Disposal.closeLater(last.release())
    }

    /// Whether something that was sent has not been received. See unix(7), `SIOCOUTQ`.
    package var hasUnread: Bool { linux_unread(descriptor.raw) != 0 }

    /// Who is at the other end, as the kernel has it.
    package borrowing func peer() throws(Errno) -> Peer {
        var pid: pid_t = 0
        var uid: uid_t = 0
        var gid: gid_t = 0
        let raw = descriptor.raw
        _ = try systemCall { linux_peer(raw, &pid, &uid, &gid) }
        var count = 64
        var groups = [gid_t](repeating: 0, count: count)
        while linux_peer_groups(raw, &groups, &count) < 0 {
            // NGROUPS_MAX is 65536; ERANGE has set the count that it needs.
            guard linux_errno() == ERANGE, count > groups.count else { throw Errno(rawValue: linux_errno()) }
            groups = [gid_t](repeating: 0, count: count)
        }
        return Peer(processID: pid, user: uid, group: gid, groups: Array(groups.prefix(count)))
    }

    /// What was received: bytes in the buffer, and the descriptors that rode on them.
    package struct Packet: ~Copyable {
        package let length: Int
        package var descriptors: DescriptorList
    }

    package struct Peer: Sendable {
        package let processID: pid_t
        package let user: uid_t
        package let group: gid_t
        package let groups: [gid_t]
    }
}

/// Descriptors that came with a packet. Whoever takes none of them leaves them to be closed.
package struct DescriptorList: ~Copyable {
    private var numbers: [CInt]

    package init(owning numbers: [CInt]) {
        self.numbers = numbers
    }

    package var count: Int { numbers.count }

    /// The next one in order, or nil where there is none left. Nobody can take it and lose it.
    package mutating func next() -> HandedDescriptor? {
        numbers.isEmpty ? nil : HandedDescriptor(owning: numbers.removeFirst())
    }

    deinit {
        for number in numbers { Disposal.close(number) }
    }
}

/// Calls `body` with the Unix address of `path`.
package func withSocketAddress<Result: FixedWidthInteger & SignedInteger>(
    _ path: some FileName, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
) throws(Errno) -> Result {
    var address = sockaddr_un()
    let length = linux_address(&address, path.terminated)
    guard length > 0 else { throw Errno.fileNameTooLong }
    return try withUnsafePointer(to: &address) { pointer throws(Errno) in
        let generic = UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self)
        return try systemCall(sleeps: true) { body(generic, length) }
    }
}
