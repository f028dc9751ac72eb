import CIPN
import CLinux
import Glibc
import IPNControl
import IPNSystem
import SystemPackage
import TestSupport

/// What takes long to close, handed in wherever descriptors are taken.
extension Rogue {
    private static let operations: [ipn_operation] = [IPN_OP_HELLO, IPN_OP_BIND, IPN_OP_RETURN, IPN_OP_CONNECT, IPN_OP_POOL, IPN_OP_STATUS]

    /// Whose close waits for a peer that never reads.
    func sendLingeringSockets() throws {
        for operation in Self.operations {
            for isWrapped in [false, true] {
                let control = try connection()
                // It may have no right to anything.
                _ = try? greet(control)
                var request = request(operation)
                request.options.protocol = UInt32(IPN_BROADCAST)
                if operation == IPN_OP_BIND { request.want = UInt32(IPN_WANT_POLICY) }
                // The last is left in the queue of a connection that is closed. Whose close is the last waits: in a thread,
                // should it be ours.
                for round in 0..<3 {
                    let socket = try isWrapped ? wrapped(try lingeringSocket()) : lingeringSocket()
                    if round < 2 { _ = try ask(control, request, [socket]) } else { try? control.send(request, descriptors: [socket]) }
                    Disposal.close(socket)
                }
            }
        }
        // More than one of us would ever send: each is the last of its kind, and the system closes what the receiver has no room for.
        let many = try (0..<80).map { _ in try lingeringSocket() }
        let control = try connection()
        try control.send(request(IPN_OP_HELLO), descriptors: many)
        for socket in many { Disposal.close(socket) }
        say("sent")
        waitForEnd()
    }

    /// A datagram socket of which nothing is left but what waits in it.
    private func wrapped(_ socket: CInt) throws -> CInt {
        var ends: [CInt] = [-1, -1]
        guard socketpair(AF_UNIX, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else { throw Trouble("socketpair") }
        var byte: UInt8 = 0
        let length = withUnsafeMutableBytes(of: &byte) { bytes in
            linux_send(ends[0], [iovec(iov_base: bytes.baseAddress, iov_len: 1)], 1, [socket], 1, 0)
        }
        guard length == 1 else { throw Trouble("cannot wrap") }
        Disposal.close(socket)
        _ = close(ends[0])
        return ends[1]
    }

    /// A TCP connection, full, to a peer of ours that does not read; its last close takes as long as it may linger.
    private func lingeringSocket() throws -> CInt {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        let sender = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
        let isConnected = withUnsafeMutablePointer(to: &address) { pointer in
            let generic = UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self)
            guard linux_bind(listener, generic, length) == 0, listen(listener, 1) == 0,
                linux_name(listener, generic, &length) == 0
            else { return false }
            return linux_connect(sender, generic, length) == 0 || errno == EINPROGRESS
        }
        guard isConnected, linux_accept(listener, 0) >= 0 else { throw Trouble("no TCP") }
        let bytes = [UInt8](repeating: 0, count: 1 << 16)
        while send(sender, bytes, bytes.count, 0x4000) > 0 {}
        var forever = linger(l_onoff: 1, l_linger: 3600)
        guard setsockopt(sender, SOL_SOCKET, SO_LINGER, &forever, socklen_t(MemoryLayout<linger>.size)) == 0,
            fcntl(sender, F_SETFL, 0) == 0
        else { throw Trouble("cannot linger") }
        return sender
    }
}
