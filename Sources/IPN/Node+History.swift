import IPNRing

/// What senders keep for those who join later, where the network was made with a `history`.
extension Node {
    /// The `sequence` that the next message from here will have. 0 before the first. For the sending thread.
    public var nextSequence: UInt64 { outbox?.pointee.pool.next ?? 0 }

    /// Gives up the history before a message: who joins later begins with this one at the earliest. Where messages build on each
    /// other, the sender knows which of them somebody could begin with; without this it keeps as many as the network's
    /// `history` says. For the sending thread; RT safe while nobody joins or leaves.
    ///
    /// - Parameter sequence: of a message that was sent, or the next; what was given up stays so.
    public func keepHistory(from sequence: UInt64) { outbox?.pointee.keepHistory(from: sequence) }

    /// Messages that wait to be received, of all senders. For the receiving thread; RT safe while nobody joins or leaves.
    public var pendingCount: Int { intake?.pointee.pending() ?? 0 }

    /// Goes to another message of a sender, forward or back: what is passed over does not count as lost, and what was received
    /// already comes again, on a LOSSY network (on a LOSSLESS one, only forward). With no message lent or held. For the receiving thread. RT safe.
    ///
    /// - Returns: false where that sender is not there, has not come so far, or keeps the message no longer; then nothing
    ///   has changed.
    public func seek(to sequence: UInt64, of sender: UInt64) -> Bool {
        intake?.pointee.seek(to: sequence, of: sender) ?? false
    }
}
