// swift-format-ignore-file: AlwaysUseLowerCamelCase
public import CIPN
import CLinux
public import Glibc
import IPN
import IPNSocket
import IPNSystem
import SystemPackage

@c @implementation
public func ipn_send(_ descriptor: CInt, _ bytes: UnsafeRawPointer!, _ length: Int, _ flags: CInt) -> Int {
    answer { () throws(Errno) in
        let socket = try SocketTable.find(descriptor)
        guard bytes != nil || length == 0 else { throw Errno.badAddress }
        try socket.send(length, flags: flags) { slot in
            if length > 0 { slot.copyMemory(from: UnsafeRawBufferPointer(start: bytes, count: length)) }
        }
        return length
    }
}

@c @implementation
public func ipn_sendmsg(_ descriptor: CInt, _ message: UnsafePointer<msghdr>!, _ flags: CInt) -> Int {
    answer { () throws(Errno) in
        let socket = try SocketTable.find(descriptor)
        guard let message else { throw Errno.badAddress }
        let (parts, length) = try parts(of: message)
        guard message.pointee.msg_control != nil || message.pointee.msg_controllen == 0 else { throw Errno.badAddress }
        var tag: UInt64 = 0
        let found = linux_get_control(message, CInt(IPN_CMSG_LEVEL), CInt(IPN_CMSG_TAG), &tag, 8)
        guard found >= 0 else { throw Errno.invalidArgument }
        let isTagged = found != 0
        try socket.send(length, flags: flags, tag: isTagged ? tag : nil) { slot in
            var place = 0
            for part in parts where part.iov_len > 0 {
                slot[place...].copyBytes(from: UnsafeRawBufferPointer(start: part.iov_base, count: part.iov_len))
                place += part.iov_len
            }
        }
        return length
    }
}

@c @implementation
public func ipn_recv(_ descriptor: CInt, _ bytes: UnsafeMutableRawPointer!, _ length: Int, _ flags: CInt) -> Int {
    answer { () throws(Errno) in
        let socket = try SocketTable.find(descriptor)
        guard bytes != nil || length == 0 else { throw Errno.badAddress }
        // A size_t: what is negative is more than there ever is.
        let room = length < 0 ? Int.max : length
        return try socket.receive(flags: flags) { message in
            message.withWhole { payload in
                let count = min(payload.count, room)
                if count > 0 { bytes.copyMemory(from: payload.baseAddress!, byteCount: count) }
                return flags & CInt(MSG_TRUNC) != 0 ? payload.count : count
            }
        } ?? 0
    }
}

@c @implementation
public func ipn_recvmsg(_ descriptor: CInt, _ message: UnsafeMutablePointer<msghdr>!, _ flags: CInt) -> Int {
    answer { () throws(Errno) in
        let socket = try SocketTable.find(descriptor)
        guard let message else { throw Errno.badAddress }
        let parts = try parts(of: message).parts
        // As the kernel has it: what has no place is told by MSG_CTRUNC.
        let room = message.pointee.msg_control == nil ? 0 : Int(message.pointee.msg_controllen)
        message.pointee.msg_flags = 0
        let received = try socket.receive(flags: flags) { arrived in
            putControls(of: arrived, message, room)
            return arrived.withWhole { scatter($0, parts, message, flags) }
        }
        if received == nil { message.pointee.msg_controllen = 0 }
        message.pointee.msg_namelen = 0
        return received ?? 0
    }
}

/// What a message consists of, looked at before anything is taken or sent.
/// - Throws: `EMSGSIZE` for more parts than readv(2) takes, `EINVAL` for a length that is none, `EFAULT` where nothing is.
private func parts(of message: UnsafePointer<msghdr>) throws(Errno) -> (parts: UnsafeBufferPointer<iovec>, length: Int) {
    let count = Int(message.pointee.msg_iovlen)
    guard (0...Int(UIO_MAXIOV)).contains(count) else { throw Errno.messageTooLong }
    guard message.pointee.msg_iov != nil || count == 0 else { throw Errno.badAddress }
    let parts = UnsafeBufferPointer<iovec>(start: message.pointee.msg_iov, count: count)
    var length = 0
    for part in parts {
        guard part.iov_len >= 0 else { throw Errno.invalidArgument }
        guard part.iov_base != nil || part.iov_len == 0 else { throw Errno.badAddress }
        let (sum, overflow) = length.addingReportingOverflow(part.iov_len)
        // More than any message has.
        length = overflow ? Int.max : sum
    }
    return (parts, length)
}

private func scatter(
    _ payload: UnsafeRawBufferPointer, _ parts: UnsafeBufferPointer<iovec>, _ message: UnsafeMutablePointer<msghdr>, _ flags: CInt
) -> Int {
    var place = 0
    for part in parts where place < payload.count {
        let count = min(part.iov_len, payload.count - place)
        guard count > 0 else { continue }
        UnsafeMutableRawBufferPointer(start: part.iov_base, count: count).copyMemory(
            from: UnsafeRawBufferPointer(rebasing: payload[place..<place + count]))
        place += count
    }
    if place < payload.count { message.pointee.msg_flags |= CInt(MSG_TRUNC) }
    return flags & CInt(MSG_TRUNC) != 0 ? payload.count : place
}

private func putControls(of arrived: ArrivedMessage, _ message: UnsafeMutablePointer<msghdr>, _ room: Int) {
    var used = 0
    if arrived.outOfBand != nil { message.pointee.msg_flags |= CInt(MSG_OOB) }
    if arrived.lost > 0 {
        var loss = arrived.loss
        used = linux_put_control(message, room, used, CInt(IPN_CMSG_LEVEL), CInt(IPN_CMSG_LOSS), &loss, MemoryLayout<ipn_loss>.size)
    }
    if arrived.tag != 0 {
        var tag = arrived.tag
        used = linux_put_control(message, room, used, CInt(IPN_CMSG_LEVEL), CInt(IPN_CMSG_TAG), &tag, MemoryLayout<UInt64>.size)
    }
    message.pointee.msg_controllen = used
}

extension ArrivedMessage {
    var loss: ipn_loss { ipn_loss(sender: sender, first: sequence &- lost, count: lost) }
}
