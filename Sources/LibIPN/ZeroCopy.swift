// swift-format-ignore-file: AlwaysUseLowerCamelCase
public import CIPN
import Glibc
import IPN
import IPNSocket
import SystemPackage

/// What a borrowed message's `handle` points to: the message, held, and a copy of news, which lie in nobody's memory.
private final class Borrowed {
    private var message: HeldMessage?
    let news: UnsafeMutableRawBufferPointer

    init(_ message: consuming HeldMessage, _ news: UnsafeRawBufferPointer) {
        self.message = consume message
        self.news = .allocate(byteCount: news.count, alignment: 8)
        self.news.copyMemory(from: news)
    }

    func take() -> HeldMessage? { message.take() }

    deinit { news.deallocate() }
}

@c @implementation
public func ipn_borrow(_ descriptor: CInt, _ message: UnsafeMutablePointer<ipn_message>!, _ flags: CInt) -> CInt {
    answer { () throws(Errno) in
        let socket = try SocketTable.find(descriptor)
        guard let message else { throw Errno.badAddress }
        guard let held = try socket.borrow(flags: flags) else { return 0 }
        let arrived = held.message
        let isNews = arrived.outOfBand != nil
        var own: HeldMessage? = consume held
        let borrowed = arrived.withWhole { Borrowed(own.take()!, isNews ? $0 : UnsafeRawBufferPointer(start: nil, count: 0)) }
        message.pointee = ipn_message(
            bytes: isNews ? UnsafeRawPointer(borrowed.news.baseAddress) : arrived.start,
            length: isNews ? borrowed.news.count : arrived.count, tag: arrived.tag, loss: arrived.loss,
            sequence: arrived.sequence, time: arrived.time, flags: isNews ? CInt(MSG_OOB) : 0, reserved: 0,
            handle: Unmanaged.passRetained(borrowed).toOpaque())
        return 1
    }
}

@c @implementation
public func ipn_return(_ descriptor: CInt, _ message: UnsafeMutablePointer<ipn_message>!) -> CInt {
    answer { () throws(Errno) in
        let socket = try SocketTable.find(descriptor)
        guard let handle = message?.pointee.handle else { throw Errno.invalidArgument }
        message.pointee.handle = nil
        if let held = Unmanaged<Borrowed>.fromOpaque(handle).takeRetainedValue().take() { socket.giveBack(held) }
        return 0
    }
}

/// What a loan's `handle` points to.
private final class Loaned {
    let slot: LentSlot
    init(_ slot: LentSlot) { self.slot = slot }
}

@c @implementation
public func ipn_loan(_ descriptor: CInt, _ loan: UnsafeMutablePointer<ipn_loan>!, _ length: Int, _ flags: CInt) -> CInt {
    answer { () throws(Errno) in
        let socket = try SocketTable.find(descriptor)
        guard let loan else { throw Errno.badAddress }
        let slot = try socket.loan(length, flags: flags)
        loan.pointee = CIPN.ipn_loan(
            bytes: slot.bytes, length: length, tag: 0, handle: Unmanaged.passRetained(Loaned(slot)).toOpaque())
        return 0
    }
}

@c @implementation
public func ipn_publish(_ descriptor: CInt, _ loan: UnsafeMutablePointer<ipn_loan>!) -> CInt {
    answer { () throws(Errno) in
        let socket = try SocketTable.find(descriptor)
        let (slot, length, tag) = try take(loan)
        guard length <= slot.count else {
            socket.cancel(slot)
            throw Errno(rawValue: EMSGSIZE)
        }
        socket.publish(slot.shortened(to: length), tag: tag)
        return 0
    }
}

@c @implementation
public func ipn_cancel(_ descriptor: CInt, _ loan: UnsafeMutablePointer<ipn_loan>!) -> CInt {
    answer { () throws(Errno) in
        let socket = try SocketTable.find(descriptor)
        socket.cancel(try take(loan).slot)
        return 0
    }
}

private func take(_ loan: UnsafeMutablePointer<ipn_loan>?) throws(Errno) -> (slot: LentSlot, length: Int, tag: UInt64) {
    guard let loan, let handle = loan.pointee.handle else { throw Errno.invalidArgument }
    loan.pointee.handle = nil
    return (Unmanaged<Loaned>.fromOpaque(handle).takeRetainedValue().slot, loan.pointee.length, loan.pointee.tag)
}
