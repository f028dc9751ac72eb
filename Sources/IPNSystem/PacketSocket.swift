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
    /// - Throws: `ECONNREFUSED`, `ENOENT`, `EACCES`; `ENAMETOOLONG` where the path does not fit an address.
    package init(connectingTo path: String) throws(Errno) {
        let descriptor = Descriptor(
            owning: try systemCall { socket(AF_UNIX, CInt(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0) })
        let raw = descriptor.raw
        _ = try withSocketAddress(path) { address, length in linux_connect(raw, address, length) }
        self.descriptor = descriptor
    }

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

    /// Takes in nothing more, and disposes of what came: closing a socket closes the descriptors that wait in it.
    package borrowing func refuseAll() {
        _ = shutdown(descriptor.raw, CInt(SHUT_RD))
        var byte: UInt8 = 0
        // An empty packet looks like the end, and the other side's end comes before what it has left: as often as a
        // socket's queue can hold packets.
        for _ in 0..<300 {
            do throws(Errno) {
                _ = try withUnsafeMutableBytes(of: &byte) { buffer throws(Errno) in
                    try receive(into: buffer, flags: CInt(MSG_DONTWAIT))
                }
            } catch {
                // A packet longer than a byte is cut, and the next one comes.
                if error == .resourceTemporarilyUnavailable { return }
            }
        }
    }

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
