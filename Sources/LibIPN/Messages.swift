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
        let parts = UnsafeBufferPointer(start: message.pointee.msg_iov, count: Int(message.pointee.msg_iovlen))
        var length = 0
        for part in parts {
            let (sum, overflow) = length.addingReportingOverflow(part.iov_len)
            guard !overflow, sum >= 0 else { throw Errno.invalidArgument }
            length = sum
        }
        var tag: UInt64 = 0
        let isTagged = linux_get_control(message, CInt(IPN_CMSG_LEVEL), CInt(IPN_CMSG_TAG), &tag, 8) != 0
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
        let room = UnsafeMutableRawBufferPointer(start: bytes, count: length)
        return try socket.receive(flags: flags) { message in
            message.withWhole { payload in
                room.copyMemory(from: UnsafeRawBufferPointer(rebasing: payload.prefix(room.count)))
                return flags & CInt(MSG_TRUNC) != 0 ? payload.count : min(payload.count, room.count)
            }
        } ?? 0
    }
}

@c @implementation
public func ipn_recvmsg(_ descriptor: CInt, _ message: UnsafeMutablePointer<msghdr>!, _ flags: CInt) -> Int {
    answer { () throws(Errno) in
        let socket = try SocketTable.find(descriptor)
        guard let message else { throw Errno.badAddress }
        let room = Int(message.pointee.msg_controllen)
        message.pointee.msg_flags = 0
        let received = try socket.receive(flags: flags) { arrived in
            putControls(of: arrived, message, room)
            return arrived.withWhole { scatter($0, message, flags) }
        }
        if received == nil { message.pointee.msg_controllen = 0 }
        message.pointee.msg_namelen = 0
        return received ?? 0
    }
}

private func scatter(_ payload: UnsafeRawBufferPointer, _ message: UnsafeMutablePointer<msghdr>, _ flags: CInt) -> Int {
    var place = 0
    for part in UnsafeBufferPointer(start: message.pointee.msg_iov, count: Int(message.pointee.msg_iovlen)) where place < payload.count {
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
