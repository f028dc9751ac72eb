// swift-format-ignore-file: AlwaysUseLowerCamelCase
public import CIPN
import CLinux
public import Glibc
import IPNSocket
import IPNSystem
import SystemPackage

// The calls of ipn.h on sockets as a whole. What they do is IPNSocket's; here are pointers, numbers and errno.

@c @implementation
public func ipn_socket(_ domain: CInt, _ type: CInt, _ protocolNumber: CInt) -> CInt {
    answer { () throws(Errno) in try SocketTable.open(domain: domain, type: type, protocolNumber: protocolNumber) }
}

@c @implementation
public func ipn_close(_ descriptor: CInt) -> CInt {
    answer { () throws(Errno) in
        try SocketTable.close(descriptor)
        return 0
    }
}

@c @implementation
public func ipn_bind(_ descriptor: CInt, _ address: UnsafePointer<sockaddr>!, _ length: socklen_t) -> CInt {
    answer { () throws(Errno) in
        let socket = try SocketTable.find(descriptor)
        guard let path = try networkPath(address, length) else { throw Errno.badAddress }
        try socket.bind(path)
        return 0
    }
}

@c @implementation
public func ipn_connect(_ descriptor: CInt, _ address: UnsafePointer<sockaddr>!, _ length: socklen_t) -> CInt {
    answer { () throws(Errno) in
        try SocketTable.find(descriptor).connect(try networkPath(address, length))
        return 0
    }
}

@c @implementation
public func ipn_shutdown(_ descriptor: CInt, _ how: CInt) -> CInt {
    answer { () throws(Errno) in
        try SocketTable.find(descriptor).shutdown(how)
        return 0
    }
}

@c @implementation
public func ipn_getsockname(
    _ descriptor: CInt, _ address: UnsafeMutablePointer<sockaddr>!, _ length: UnsafeMutablePointer<socklen_t>!
) -> CInt {
    answer { () throws(Errno) in
        try put(SocketTable.find(descriptor).path, address, length)
        return 0
    }
}

@c @implementation
public func ipn_getpeername(
    _ descriptor: CInt, _ address: UnsafeMutablePointer<sockaddr>!, _ length: UnsafeMutablePointer<socklen_t>!
) -> CInt {
    answer { () throws(Errno) in
        guard let path = try SocketTable.find(descriptor).path else { throw Errno(rawValue: ENOTCONN) }
        try put(path, address, length)
        return 0
    }
}

@c @implementation
public func ipn_is_socket(_ descriptor: CInt) -> CInt {
    let isOurs: CInt = answer { () throws(Errno) in
        _ = try SocketTable.find(descriptor)
        return 1
    }
    return isOurs == 1 ? 1 : 0
}

@c @implementation
public func ipn_duplicated(_ descriptor: CInt, _ made: CInt) -> CInt {
    answer { () throws(Errno) in
        try SocketTable.duplicated(descriptor, made)
        return 0
    }
}

@c @implementation
public func ipn_closed(_ descriptor: CInt) -> CInt {
    answer { () throws(Errno) in
        try SocketTable.forget(descriptor)
        return 0
    }
}

@c @implementation
public func ipn_next_own(_ from: CUnsignedInt) -> CUnsignedInt { linux_next_own(from) }

// MARK: Addresses

/// The path in a `sockaddr_un`, which need not end in a zero byte. Nil for no address at all.
/// - Throws: `EINVAL` for an address that is none of ours.
private func networkPath(_ address: UnsafePointer<sockaddr>?, _ length: socklen_t) throws(Errno) -> Path? {
    guard let address else { return nil }
    let head = MemoryLayout<sa_family_t>.size
    guard Int(length) > head, Int(length) <= MemoryLayout<sockaddr_un>.size else { throw Errno.invalidArgument }
    let family = CInt(address.pointee.sa_family)
    guard family == AF_IPN || family == 33 || family == 13 || family == AF_UNIX else { throw Errno.invalidArgument }
    let bytes = UnsafeRawBufferPointer(start: address, count: Int(length))[head...].prefix { $0 != 0 }
    guard !bytes.isEmpty else { throw Errno.invalidArgument }
    return Path(bytes)
}

/// Writes a path as an address, cut where it does not fit, its whole length told. See getsockname(2).
private func put(
    _ path: Path?, _ address: UnsafeMutablePointer<sockaddr>?, _ length: UnsafeMutablePointer<socklen_t>?
) throws(Errno) {
    guard let address, let length else { throw Errno.badAddress }
    guard length.pointee <= CInt.max else { throw Errno.invalidArgument }
    var whole = withUnsafeBytes(of: sa_family_t(AF_IPN)) { Array($0) }
    if let path { whole += path.bytes + [0] }
    UnsafeMutableRawBufferPointer(start: address, count: min(Int(length.pointee), whole.count)).copyBytes(
        from: whole.prefix(Int(length.pointee)))
    length.pointee = socklen_t(whole.count)
}
