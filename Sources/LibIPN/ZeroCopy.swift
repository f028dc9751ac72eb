// swift-format-ignore-file: AlwaysUseLowerCamelCase
public import CIPN
import Glibc
import IPN
import IPNSocket
import SystemPackage

/// What a borrowed message's `handle` points to: the message, held, and a copy of news, which lie in nobody's memory.
private final class Borrowed: KeptMessage {
    let socket: Socket
    private var message: HeldMessage?
    let news: UnsafeMutableRawBufferPointer

    init(_ message: consuming HeldMessage, of socket: Socket, _ news: UnsafeRawBufferPointer) {
        self.socket = socket
        self.message = consume message
        self.news = .allocate(byteCount: news.count, alignment: 8)
        self.news.copyMemory(from: news)
    }

    func letGo() { message = nil }

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
        let borrowed = arrived.withWhole { Borrowed(own.take()!, of: socket, isNews ? $0 : UnsafeRawBufferPointer(start: nil, count: 0)) }
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
        guard let message else { throw Errno.badAddress }
        guard let handle = message.pointee.handle else { throw Errno.invalidArgument }
        let borrowed = Unmanaged<Borrowed>.fromOpaque(handle)
        let lender = borrowed.takeUnretainedValue().socket
        let socket: Socket?
        var failure = Errno.invalidArgument
        do throws(Errno) {
            socket = try SocketTable.find(descriptor)
        } catch {
            socket = nil
            failure = error
        }
        guard socket === lender || lender.isClosed else { throw failure }
        message.pointee.handle = nil
        let held = borrowed.takeRetainedValue()
        lender.giveBack(held)
        // What was borrowed from a socket that was closed meanwhile is given back, and was wrong.
        guard socket === lender else { throw failure }
        return 0
    }
}

@c @implementation
public func ipn_loan(_ descriptor: CInt, _ loan: UnsafeMutablePointer<ipn_loan>!, _ length: Int, _ flags: CInt) -> CInt {
    answer { () throws(Errno) in
        let socket = try SocketTable.find(descriptor)
        guard let loan else { throw Errno.badAddress }
        let (slot, number) = try socket.lend(length, flags: flags)
        loan.pointee = CIPN.ipn_loan(bytes: slot.bytes, length: length, tag: 0, handle: UnsafeMutableRawPointer(bitPattern: number))
        return 0
    }
}

@c @implementation
public func ipn_publish(_ descriptor: CInt, _ loan: UnsafeMutablePointer<ipn_loan>!) -> CInt {
    end(loan, of: descriptor) { (socket, number) throws(Errno) in
        try socket.publish(number, count: loan.pointee.length, tag: loan.pointee.tag)
    }
}

@c @implementation
public func ipn_cancel(_ descriptor: CInt, _ loan: UnsafeMutablePointer<ipn_loan>!) -> CInt {
    end(loan, of: descriptor) { (socket, number) throws(Errno) in try socket.cancel(number) }
}

/// - Parameter body: what fails leaves the loan as it is, but for `EPIPE`, where it can be of no use any more.
private func end(
    _ loan: UnsafeMutablePointer<ipn_loan>?, of descriptor: CInt, _ body: (Socket, UInt) throws(Errno) -> Void
) -> CInt {
    answer { () throws(Errno) in
        guard let loan else { throw Errno.badAddress }
        let number = UInt(bitPattern: loan.pointee.handle)
        do throws(Errno) {
            try body(SocketTable.find(descriptor), number)
        } catch {
            if error == .brokenPipe || SocketTable.abandon(loan: number) { loan.pointee.handle = nil }
            throw error
        }
        loan.pointee.handle = nil
        return 0
    }
}
