import CIPN
import CLinux
import Glibc
import IPNControl
import IPNSystem
import SystemPackage

/// A node's conversation with its keeper: one request at a time. The caller holds the lock.
struct KeeperLink: ~Copyable {
    private let control: ControlSocket
    /// A request was sent whose answer has not been taken.
    private(set) var isAwaitingAnswer = false
    /// What the last refusal said beside its errno; mostly nothing.
    private(set) var complaint = ""

    var rawDescriptor: CInt { control.socket.descriptor.raw }

    init(_ control: consuming ControlSocket) {
        self.control = control
    }

    /// From now on an answer that takes longer is `EAGAIN`.
    /// - Parameter milliseconds: 0 for as long as it takes.
    func limitWaiting(milliseconds: Int) { control.socket.limitWaiting(milliseconds: milliseconds) }

    /// An answer and what came with it.
    struct Answer: ~Copyable {
        let head: ipn_answer
        let records: [UInt8]
        var descriptors: DescriptorList

        /// The records that follow the head. Fewer than the head claims is a broken keeper.
        func items<Item>(_ type: Item.Type) throws(Errno) -> [Item] {
            let count = Int(head.count)
            guard records.count == count * MemoryLayout<Item>.stride else { throw Errno(rawValue: EPROTO) }
            return records.withUnsafeBytes { bytes in
                (0..<count).map { bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Item>.stride, as: Item.self) }
            }
        }
    }

    /// Asks, and waits for the answer.
    /// - Throws: the error that was answered; `EPIPE`, `ECONNRESET` where the keeper is gone.
    ///
    /// - Parameter payload: bytes for a policy.
    mutating func call(_ request: ipn_request, payload: [UInt8] = [], descriptors: [CInt] = []) throws(Errno) -> Answer {
        precondition(!isAwaitingAnswer, "an answer was left untaken")
        try control.send(request, payload: payload, descriptors: descriptors)
        return try take(flags: 0)
    }

    /// The first request of all. A keeper that could not begin has left word why: the end of a socket comes before what is left in it.
    mutating func introduce(_ request: ipn_request, descriptors: [CInt]) throws(Errno) -> Answer {
        do throws(Errno) {
            return try call(request, descriptors: descriptors)
        } catch {
            guard error == .brokenPipe || error == .connectionReset else { throw error }
            do throws(Errno) {
                return try take(flags: CInt(MSG_DONTWAIT))
            } catch let word {
                throw word == .resourceTemporarilyUnavailable ? error : word
            }
        }
    }

    /// Asks without waiting for the answer.
    mutating func post(_ request: ipn_request, descriptors: [CInt] = []) throws(Errno) {
        precondition(!isAwaitingAnswer, "an answer was left untaken")
        try control.send(request, descriptors: descriptors)
        isAwaitingAnswer = true
    }

    /// Takes the answer to a `post`. - Throws: `EAGAIN` where it is not there and must not be waited for.
    mutating func takePosted(waiting: Bool) throws(Errno) -> Answer {
        do throws(Errno) {
            let answer = try take(flags: waiting ? 0 : CInt(MSG_DONTWAIT))
            isAwaitingAnswer = false
            return answer
        } catch {
            if error != .resourceTemporarilyUnavailable { isAwaitingAnswer = false }
            throw error
        }
    }

    private mutating func take(flags: CInt) throws(Errno) -> Answer {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ControlSocket.packetSize, alignment: 16)
        defer { buffer.deallocate() }
        var packet = try control.socket.receive(into: buffer, flags: flags)
        guard packet.length > 0 else { throw Errno.brokenPipe }
        let size = MemoryLayout<ipn_answer>.size
        guard packet.length >= size else { throw Errno(rawValue: EPROTO) }
        let head = buffer.loadUnaligned(as: ipn_answer.self)
        guard ControlSocket.isOurs(magic: head.magic, version: head.version, recordVersion: head.record_version) else {
            throw Errno(rawValue: EPROTO)
        }
        if head.error != 0 {
            complaint = String(decoding: buffer[size..<packet.length], as: UTF8.self)
            throw Errno(rawValue: head.error)
        }
        var descriptors: [CInt] = []
        while let handed = packet.descriptors.next() { descriptors.append(handed.release()) }
        return Answer(
            head: head, records: Array(buffer[size..<packet.length]), descriptors: DescriptorList(owning: descriptors))
    }
}

extension ipn_request {
    /// A request with nothing but its operation.
    init(_ operation: ipn_operation, value: UInt64 = 0) {
        self.init()
        self.operation = operation.rawValue
        self.value = value
        port = CInt(IPN_PORTNO_ANY)
    }
}
