/// What the socket layer asks beside what everybody may: readiness, and receiving without taking.
extension Node {
    /// Puts back what `begin` lent, to be received again.
    package func putBack(_ message: ArrivedMessage) { intake?.pointee.putBack(message) }

    /// What there is to receive. For the receiving thread.
    package func incoming() -> (data: Bool, news: Bool) { intake?.pointee.readiness() ?? (false, false) }

    /// Makes the handle readable where something is there, and silent where nothing is. For the receiving thread.
    package func settlePollers() { intake?.pointee.tellPollers(surely: true) }

    /// Whether a send would not have to wait; where it would, the handle becomes readable once it would not. For the
    /// sending thread.
    package var isWritable: Bool { outbox?.pointee.isWritable() ?? true }

    /// Whether receiving was shut down, or never allowed.
    package var isReceivingOver: Bool { intake == nil || wakers?.isReceivingOver ?? true }

    /// Wakes who sleeps in a receive or a send of this node, for good: before it is closed by another thread.
    package func interrupt() {
        wakers?.endReceiving()
        wakers?.endSending()
    }
}
