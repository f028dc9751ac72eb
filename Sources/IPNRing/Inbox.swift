public import CIPN

/// All writers of a network, as one reader receives from them: in turn, and within the reader's limit.
///
/// RT safe but for `replace`. One thread at a time.
@frozen
public struct Inbox: ~Copyable {
    /// Writers with a pool.
    public var writers: UnsafeMutableBufferPointer<WriterView>
    @usableFromInline let own: NodeRegion
    /// Whether writers overwrite what is not read: LOSSY.
    public let overwrites: Bool
    /// Messages that may be pending across all writers; only counts on a LOSSY network.
    public var limit: UInt64
    @usableFromInline var turn = 0
    @usableFromInline var sleeps: UInt64 = 0
    @usableFromInline var received: UInt64 = 0
    @usableFromInline var receivedBytes: UInt64 = 0

    public init(own: NodeRegion, overwrites: Bool, limit: UInt64) {
        self.own = own
        self.overwrites = overwrites
        self.limit = limit
        writers = .allocate(capacity: 0)
    }

    deinit {
        writers.deallocate()
    }

    /// Takes another set of writers: the roster has changed. Allocates.
    public mutating func replace(_ views: [WriterView]) {
        writers.deallocate()
        writers = .allocate(capacity: views.count)
        _ = writers.initialize(from: views)
        turn = 0
    }

    /// The next message, pinned, with the index of its writer. Nil where nothing is pending.
    @inlinable @inline(__always)
    public mutating func take() -> (writer: Int, delivery: Delivery)? {
        if overwrites { dropBeyondLimit() }
        let count = writers.count
        var index = turn
        for _ in 0..<count {
            if index >= count { index = 0 }
            if let delivery = writers[index].take(overwrites: overwrites) {
                turn = index
                return (index, delivery)
            }
            index += 1
        }
        return nil
    }

    /// Messages that wait, of all writers.
    public mutating func pending() -> UInt64 {
        var total: UInt64 = 0
        for index in writers.indices { total &+= writers[index].pending() }
        return total
    }

    /// Messages of the writers that are there, read or not: another number when another has come.
    public mutating func arrivals() -> UInt64 {
        var total: UInt64 = 0
        for index in writers.indices { total &+= writers[index].tail &+ writers[index].pending() }
        return total
    }

    /// Goes to another message of a writer. See `WriterView.seek`.
    public mutating func seek(to sequence: UInt64, of nodeID: UInt64) -> Bool {
        for index in writers.indices where writers[index].nodeID == nodeID { return writers[index].seek(to: sequence, overwrites: overwrites) }
        return false
    }

    /// Leaves a message where it was.
    public mutating func putBack(_ writer: Int, _ delivery: Delivery) { writers[writer].putBack(delivery) }

    /// Gives a held message's slot back, where its writer is still known.
    public mutating func release(_ delivery: Delivery) {
        for index in writers.indices where writers[index].nodeID == delivery.nodeID { writers[index].release(delivery) }
    }

    /// Whether a writer has left and has nothing more for us, nor anything that we hold.
    public mutating func isSettled(_ index: Int) -> Bool {
        writers[index].hasDeparted && writers[index].pending() == 0 && !writers[index].holdsMessages
    }

    /// Moves on behind a message.
    @inlinable @inline(__always)
    public mutating func advance(_ writer: Int, past delivery: Delivery, keepPin: Bool) {
        writers[writer].advance(past: delivery, keepPin: keepPin, overwrites: overwrites)
        turn = writer + 1
        received &+= 1
        own.received.store(received)
        receivedBytes &+= UInt64(truncatingIfNeeded: delivery.length)
        own.receivedBytes.store(receivedBytes)
        // FENCE room: our tail before the look at `waiting`; pairs with FENCE wait in the sender, which stores
        // `waiting` and then looks at the tails again.
        if !overwrites { fullFence() }
    }

    /// Whether something is there: one look at every head.
    @inlinable @inline(__always)
    public mutating func isReadable() -> Bool {
        for index in writers.indices where writers[index].pending() > 0 { return true }
        return false
    }

    /// Whether a message that is there could be pinned.
    public mutating func canTake() -> Bool {
        for index in writers.indices where writers[index].pending() > 0 && writers[index].hasFreePin { return true }
        return false
    }

    /// Whether a writer was given up since this was last asked: there may be room for others.
    public mutating func hasGivenUp() -> Bool {
        var hasGivenUp = false
        for index in writers.indices where writers[index].isBroken && !writers[index].isToldBroken {
            writers[index].isToldBroken = true
            hasGivenUp = true
        }
        // FENCE room, as in `advance`.
        if hasGivenUp { fullFence() }
        return hasGivenUp
    }

    /// Says that we are about to sleep, in a call or in a poll of the handle. The caller then looks again at everything
    /// that it sleeps for.
    public mutating func arm(polling: Bool) {
        sleeps &+= UInt64(IPN_SLEEP_STEP)
        own.armed.store(sleeps | UInt64(polling ? IPN_ASLEEP | IPN_POLLS : IPN_ASLEEP))
        // FENCE arm: armed before the second look; pairs with FENCE publish in PoolWriter.publish.
        fullFence()
    }

    public mutating func disarm() {
        own.armed.store(sleeps)
    }
}
