// swift-format-ignore-file: AlwaysUseLowerCamelCase
public import CIPN
import CLinux
public import Glibc
import IPNSocket
import IPNSystem
import SystemPackage

@c @implementation
public func ipn_setsockopt(
    _ descriptor: CInt, _ level: CInt, _ option: CInt, _ value: UnsafeRawPointer!, _ length: socklen_t
) -> CInt {
    answer { () throws(Errno) in
        let socket = try SocketTable.find(descriptor)
        guard length <= CInt.max else { throw Errno.invalidArgument }
        guard value != nil || length == 0 else { throw Errno.badAddress }
        switch level {
        // What lets strokes through to the handle, and nothing else.
        case SOL_SOCKET where filterOptions.contains(option): throw Errno.notPermitted
        case 0: try socket.setOption(option, UnsafeRawBufferPointer(start: value, count: Int(length)))
        case SOL_SOCKET: _ = try systemCall { setsockopt(descriptor, level, option, value, length) }
        case _ where socket.isPolicy(level: level):
            try socket.setPolicyOption(option, UnsafeRawBufferPointer(start: value, count: Int(length)))
        default: throw Errno(rawValue: ENOPROTOOPT)
        }
        return 0
    }
}

@c @implementation
public func ipn_getsockopt(
    _ descriptor: CInt, _ level: CInt, _ option: CInt, _ value: UnsafeMutableRawPointer!,
    _ length: UnsafeMutablePointer<socklen_t>!
) -> CInt {
    answer { () throws(Errno) in
        let socket = try SocketTable.find(descriptor)
        guard let value, let length else { throw Errno.badAddress }
        guard length.pointee <= CInt.max else { throw Errno.invalidArgument }
        let room = UnsafeMutableRawBufferPointer(start: value, count: Int(length.pointee))
        switch (level, option) {
        case (0, _):
            length.pointee = socklen_t(try socket.option(option, into: room))
        case (SOL_SOCKET, SO_TYPE): try put(CInt(SOCK_RAW.rawValue), room, length)
        case (SOL_SOCKET, SO_DOMAIN): try put(AF_IPN, room, length)
        case (SOL_SOCKET, SO_PROTOCOL): try put(CInt(socket.protocolInUse), room, length)
        case (SOL_SOCKET, SO_ERROR): try put(0, room, length)
        // The handle's own would be nobody's.
        case (SOL_SOCKET, _) where peerOptions.contains(option): throw Errno(rawValue: EOPNOTSUPP)
        case (SOL_SOCKET, _): _ = try systemCall { getsockopt(descriptor, level, option, value, length) }
        case _ where socket.isPolicy(level: level): length.pointee = socklen_t(try socket.policyOption(option, into: room))
        default: throw Errno(rawValue: ENOPROTOOPT)
        }
        return 0
    }
}

/// `SO_ATTACH_FILTER`, `SO_DETACH_FILTER`, `SO_LOCK_FILTER`, `SO_ATTACH_BPF`: as a filter that is locked has them.
private let filterOptions: [CInt] = [26, 27, 44, 50]
/// `SO_PEERCRED`, `SO_PEERNAME`, `SO_PEERSEC`, `SO_PEERGROUPS`, `SO_PEERPIDFD`: of one peer, where there are many.
private let peerOptions: [CInt] = [17, 28, 31, 59, 77]

private func put(_ number: CInt, _ room: UnsafeMutableRawBufferPointer, _ length: UnsafeMutablePointer<socklen_t>) throws(Errno) {
    guard room.count >= MemoryLayout<CInt>.size else { throw Errno.invalidArgument }
    room.storeBytes(of: number, as: CInt.self)
    length.pointee = socklen_t(MemoryLayout<CInt>.size)
}

/// `FIONREAD`: bytes of the next message; `FIONBIO` and the like mean what they mean on every descriptor; what the kernel does
/// not know of a socket is the policy's.
@c @implementation
public func ipn_ioctl(_ descriptor: CInt, _ request: CUnsignedLong, _ argument: UnsafeMutableRawPointer!) -> CInt {
    answer { () throws(Errno) in
        let socket = try SocketTable.find(descriptor)
        if request == CUnsignedLong(FIONREAD) {
            guard let argument else { throw Errno.badAddress }
            argument.storeBytes(of: CInt(clamping: try socket.nextLength()), as: CInt.self)
            return 0
        }
        do throws(Errno) {
            return try systemCall { linux_ioctl(descriptor, request, argument) }
        } catch {
            guard error.rawValue == ENOTTY else { throw error }
            try socket.policyControl(request, argument)
            return 0
        }
    }
}
