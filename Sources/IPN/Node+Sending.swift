import CIPN
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

extension Node {
    /// Sends a copy of `bytes` as one message to everybody who is connected. RT safe on a LOSSY network.
    ///
    /// - Parameters:
    ///   - bytes: the message, up to the network's MTU; none is a message too.
    ///   - tag: 64 bits that travel beside the payload.
    ///   - timeout: how long to wait for room (LOSSLESS only); nil for as long as it takes, zero for not at all.
    /// - Throws: `EMSGSIZE` over the MTU; `ENOTCONN`; `EPIPE` where the node may not send; `EAGAIN` without room in time;
    ///   `EINTR`; `ENOBUFS` where memory is exhausted. Nothing was sent then.
    @inlinable
    public func send(_ bytes: UnsafeRawBufferPointer, tag: UInt64 = 0, timeout: Duration? = nil) throws(IPNError) {
        try send(bytes.count, tag: tag, timeout: timeout) { slot in
            if let base = bytes.baseAddress { slot.copyMemory(from: UnsafeRawBufferPointer(start: base, count: bytes.count)) }
        }
    }

    /// Sends a copy of an array's bytes.
    @inlinable
    public func send(_ bytes: [UInt8], tag: UInt64 = 0, timeout: Duration? = nil) throws(IPNError) {
        try send(bytes.count, tag: tag, timeout: timeout) { slot in bytes.withUnsafeBytes { slot.copyMemory(from: $0) } }
    }

    /// Sends a text in UTF-8.
    public func send(_ text: String, tag: UInt64 = 0, timeout: Duration? = nil) throws(IPNError) {
        try send(Array(text.utf8), tag: tag, timeout: timeout)
    }

    /// Sends a message of `count` bytes that `fill` writes straight into the shared memory: no copy.
    ///
    /// The slot's bytes are whatever an older message left there: fill all of them.
    ///
    /// - Throws: as above.
    @inlinable
    public func send(
        _ count: Int, tag: UInt64 = 0, timeout: Duration? = nil, _ fill: (UnsafeMutableRawBufferPointer) -> Void
    ) throws(IPNError) {
        guard let slot = try lend(count, timeout: timeout, soonFilled: count <= 4096) else { return }
        fill(UnsafeMutableRawBufferPointer(start: slot.bytes, count: count))
        publish(slot, tag: tag)
    }

    /// Lends a slot to be filled: publish it or cancel it, before the next one is lent.
    ///
    /// - Returns: nil where a LOSSY network had no slot left: the message would be lost to all, and is counted.
    public func lend(_ count: Int, timeout: Duration? = nil) throws(IPNError) -> LentSlot? {
        try lend(count, timeout: timeout, soonFilled: false)
    }

    /// Lends a slot where there is room, and asks for none where there is not: `lend` follows then.
    package func lendAtOnce(_ count: Int) throws(IPNError) -> LentSlot? {
        try lend(count, timeout: .zero, soonFilled: false, asks: false)
    }

    /// - Parameters:
    ///   - soonFilled: the message follows in less time than a sleeper needs to wake up.
    ///   - asks: see `Outbox.lend`.
    @usableFromInline
    func lend(_ count: Int, timeout: Duration?, soonFilled: Bool, asks: Bool = true) throws(IPNError) -> LentSlot? {
        guard count >= 0, count <= sendLimit else { throw refusal(count) }
        let outbox = if let open = self.outbox { open } else { try openOutbox() }
        do throws(Errno) {
            guard let slot = try outbox.pointee.lend(count, timeout: timeout, asks: asks) else {
                return nil
            }
            if soonFilled { outbox.pointee.ringSleepers() }
            return LentSlot(bytes: outbox.pointee.payload(slot), count: count, packed: slot.packed)
        } catch {
            throw sendFailure(error)
        }
    }

    /// Makes a lent slot the next message.
    public func publish(_ slot: LentSlot, tag: UInt64 = 0) {
        outbox!.pointee.publish(SlotNumber(packed: slot.packed), length: slot.count, tag: tag)
    }

    /// Gives a lent slot back unsent.
    public func cancel(_ slot: LentSlot) {
        outbox!.pointee.cancel(SlotNumber(packed: slot.packed))
    }

    private func openOutbox() throws(IPNError) -> UnsafeMutablePointer<Outbox> {
        guard let membership, let region, let wakers else { throw refusal(0) }
        do throws(Errno) {
            let open = box(
                try Outbox.open(
                    membership: membership, own: region.words, nodeID: nodeID, wakers: wakers,
                    receives: directions.contains(.receive)))
            open.pointee.isPolled = isPolled
            outbox = open
            return open
        } catch {
            if error == .brokenPipe || error == .connectionReset {
                throw failure(error, "the network's keeper is gone: who has not sent before it went cannot begin", remedy: "join again")
            }
            if error.rawValue == EDQUOT {
                throw failure(
                    error, "this user's nodes hold as much memory as one user's may",
                    remedy: "close some, or have the network's owner make it with a larger \(UserLimits.memoryVariable)")
            }
            throw memoryFailure(error, "cannot make the memory to send from")
        }
    }

    private func refusal(_ count: Int) -> IPNError {
        if region == nil { return failure(Errno(rawValue: ENOTCONN), "the node is not connected") }
        if !directions.contains(.send) { return failure(.brokenPipe, "the node may not send", remedy: "it needs w on the network") }
        return failure(
            Errno(rawValue: EMSGSIZE), "a message of \(count) bytes is over the network's MTU of \(options.mtu)",
            remedy: "make the network with an MTU of at least \(count)")
    }

    private func sendFailure(_ error: Errno) -> IPNError {
        switch error {
        case .resourceTemporarilyUnavailable: failure(error, "the network is full: receivers have not read yet")
        case .interrupted: failure(error, "interrupted by a signal")
        case Errno(rawValue: ENOBUFS): memoryFailure(error, "no memory for another message")
        default: end(of: error) ?? failure(error, "cannot send: \(error)")
        }
    }

    private func memoryFailure(_ error: Errno, _ problem: String) -> IPNError {
        if let (limit, remedy) = SharedAllowance.refusal { return failure(error, "\(problem): \(limit)", remedy: remedy) }
        // ENOBUFS says no more than the problem.
        let cause = error.rawValue == ENOBUFS ? "" : ": \(error)"
        return failure(error, problem + cause, remedy: "free memory, or choose a smaller MTU or message pool")
    }
}

/// A slot of shared memory that was lent for one message.
public struct LentSlot {
    /// Where to write; `count` bytes.
    public let bytes: UnsafeMutableRawPointer
    public let count: Int
    let packed: UInt32

    /// The same slot for a shorter message.
    package func shortened(to count: Int) -> LentSlot {
        precondition((0...self.count).contains(count))
        return LentSlot(bytes: bytes, count: count, packed: packed)
    }
}
