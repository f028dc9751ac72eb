public import CIPN

/// One writer as a reader sees it, and the reader's place in its stream.
@frozen
public struct WriterView {
    public let nodeID: UInt64
    public let region: NodeRegion
    public let pool: PoolView
    /// The reader's own cursor for this writer.
    public let cursor: Cursor
    /// As the caller rings it when room was made.
    public let doorbell: Doorbell
    @usableFromInline let maximumLength: Int
    public var tail: UInt64
    /// The head when it was last looked at: up to there no look is needed. Each look takes its line from the writer.
    @usableFromInline var knownHead: UInt64
    /// Lost and not yet told with a message.
    public var untoldLost: UInt64 = 0
    @usableFromInline var usedPins: UInt8 = 0
    /// What it publishes makes no sense; nothing is taken from it any more.
    public var isBroken = false
    /// That it is has been said to those who wait for room.
    var isToldBroken = false
    /// It has left: what is there is all there will be.
    public var hasDeparted = false
    /// The wait that was rung last.
    public var rungWait: UInt64 = 0

    /// The reader's count of all that it lost, whoever sent it: a sender may have left before it could be told of.
    @usableFromInline let tally: SharedWord

    /// Takes up the stream at a cursor that was placed before (`adopt`).
    public init(
        nodeID: UInt64, region: NodeRegion, pool: PoolView, cursor: Cursor, tally: SharedWord, doorbell: Doorbell,
        maximumLength: Int
    ) {
        self.nodeID = nodeID
        self.region = region
        self.pool = pool
        self.cursor = cursor
        self.tally = tally
        self.doorbell = doorbell
        self.maximumLength = maximumLength
        tail = cursor.tail.load()
        knownHead = tail
    }

    /// Places a reader's cursor for a writer: tail first, then the generation that makes it valid.
    public static func adopt(_ nodeID: UInt64, at tail: UInt64, cursor: Cursor) {
        cursor.generation.storeReleasing(0)
        for index in 0..<Int(IPN_PINS) { cursor.pin(index).store(UInt64(IPN_NO_PIN)) }
        cursor.tail.storeReleasing(tail)
        step("adopt: tail placed, generation not")
        // SYNC adopt: pairs with ReaderView.tail.
        cursor.generation.storeReleasing(nodeID)
    }

    /// Messages that wait to be read.
    @inlinable @inline(__always)
    public mutating func pending() -> UInt64 {
        // SYNC head: pairs with PoolWriter.publish.
        knownHead = region.head.loadAcquiring()
        let pending = knownHead &- tail
        if pending > UInt64(Int64.max) || isBroken {
            // A head that went backwards: its writer is not to be believed.
            abandon()
            return 0
        }
        return pending
    }

    /// Takes nothing more of this writer. As if all were read that it may ever send: on a LOSSLESS network its messages would count as
    /// pending for as long as it lives, and hold up all others.
    @usableFromInline
    mutating func abandon() {
        isBroken = true
        knownHead = tail
        cursor.tail.storeReleasing(.max)
    }

    /// Whether we have read as much as this writer waits for.
    @inlinable
    public var hasReadWanted: Bool { tail >= region.wanted.load() }

    /// Passes over the oldest `count` messages, and counts them as lost.
    @inlinable @inline(__always)
    public mutating func skip(_ count: UInt64) {
        untoldLost &+= count
        tail &+= count
        cursor.lost.store(cursor.lost.load() &+ count)
        tally.store(tally.load() &+ count)
        cursor.tail.storeReleasing(tail)
    }

    /// Pins the next message. Nil where there is none, or all pins are used (`hasFreePin`).
    ///
    /// - Parameter overwrites: whether the writer may retire unread messages (LOSSY). A LOSSLESS writer waits for
    ///   our tail, so there nothing needs to be fenced or checked twice.
    @inlinable @inline(__always)
    public mutating func take(overwrites: Bool) -> Delivery? {
        while knownHead &- tail > 0 || pending() > 0 {
            let index = usedPins.firstFreePin
            guard index < Int(IPN_PINS) else { return nil }
            // SYNC entry: pairs with PoolWriter.publish. Copied before the pin: after `oldest` says that `tail` is not
            // retired, the entry cannot have been lapped when we copied it.
            let place = pool.place(tail).loadAcquiring()
            let entry = pool.entry(tail).pointee
            fetchAhead()
            if overwrites {
                cursor.pin(index).storeReleasing(tail &+ 1)
                step("receive: pinned, oldest not looked at")
                // FENCE pin: the pin before the look at oldest; pairs with FENCE retire in PoolWriter.retire.
                fullFence()
                let oldest = region.oldest.loadAcquiring()
                if oldest > tail {
                    cursor.pin(index).storeReleasing(UInt64(IPN_NO_PIN))
                    let available = pending()
                    guard available > 0 else { return nil }
                    skip(min(oldest &- tail, available))
                    continue
                }
            }
            // Checked on the copy: the original is another process's.
            let slot = SlotNumber(packed: UInt32(truncatingIfNeeded: place))
            let length = Int(truncatingIfNeeded: entry.length)
            guard place >> 32 == tail & 0xffff_ffff, pool.isValid(slot), length >= 0, length <= maximumLength,
                length <= pool.layout.stride(slot.sizeClass)
            else { return giveUp(index) }
            usedPins |= 1 << UInt8(index)
            let lost = untoldLost
            untoldLost = 0
            return Delivery(
                bytes: UnsafeRawPointer(pool.payload(slot)), length: length, sequence: tail, tag: entry.tag,
                time: entry.time, lost: lost, nodeID: nodeID, pin: index)
        }
        return nil
    }

    /// Lines come from another processor's cache, one after another where each is only asked for when it is needed. Where
    /// several messages wait, those of the next ones are on their way while this one is read.
    @inlinable @inline(__always)
    func fetchAhead() {
        let ahead = UInt64(IPN_AHEAD)
        guard knownHead &- tail > ahead else { return }
        let slot = SlotNumber(packed: UInt32(truncatingIfNeeded: pool.place(tail &+ ahead).load()))
        if pool.isValid(slot) {
            let start = pool.payload(slot)
            ipn_prefetch_read(start)
            let length = Int(truncatingIfNeeded: pool.entry(tail &+ ahead).pointee.length)
            ipn_prefetch_read(start + (length &- 1))
        }
        if knownHead &- tail > 2 &* ahead { ipn_prefetch_read(pool.entry(tail &+ 2 &* ahead)) }
    }

    /// Moves on behind the message that was taken. With `keepPin` its slot stays ours until `unpin`.
    @inlinable @inline(__always)
    public mutating func advance(past delivery: Delivery, keepPin: Bool, overwrites: Bool) {
        // A LOSSLESS message was protected by the tail; from here on only the pin does it. Its store is ordered
        // before the tail's, and the writer looks at tails before pins.
        if keepPin && !overwrites { cursor.pin(delivery.pin).storeReleasing(delivery.sequence &+ 1) }
        tail = delivery.sequence &+ 1
        if !isBroken { cursor.tail.storeReleasing(tail) }
        step("receive: tail moved, pin kept")
        if !keepPin {
            if overwrites { cursor.pin(delivery.pin).storeReleasing(UInt64(IPN_NO_PIN)) }
            usedPins &= ~(1 << UInt8(delivery.pin))
        }
    }

    /// Gives a held message's slot back.
    public mutating func release(_ delivery: Delivery) {
        cursor.pin(delivery.pin).storeReleasing(UInt64(IPN_NO_PIN))
        usedPins &= ~(1 << UInt8(delivery.pin))
    }

    /// Goes to another message, forward or back: what is passed over is not counted as lost, what was received comes again.
    ///
    /// - Parameter overwrites: as in `take`. A LOSSLESS writer has read our place before it takes back what is behind, and
    ///   nothing is checked twice there: then only forward.
    /// - Returns: false where its writer has not sent it yet, or keeps it no longer; the place is then what it was.
    public mutating func seek(to sequence: UInt64, overwrites: Bool) -> Bool {
        guard usedPins == 0, !isBroken, sequence <= region.head.loadAcquiring(), overwrites || sequence >= tail else { return false }
        let before = tail
        tail = sequence
        cursor.tail.storeReleasing(tail)
        // Only a hint: `take` looks again, under a pin.
        guard region.oldest.loadAcquiring() <= sequence else {
            tail = before
            cursor.tail.storeReleasing(tail)
            return false
        }
        knownHead = tail
        return true
    }

    /// Leaves the next message unread and unpinned, as before `take`.
    public mutating func putBack(_ delivery: Delivery) {
        release(delivery)
        untoldLost = delivery.lost
    }

    public var hasFreePin: Bool { usedPins.firstFreePin < Int(IPN_PINS) }
    public var holdsMessages: Bool { usedPins != 0 }

    @usableFromInline
    mutating func giveUp(_ index: Int) -> Delivery? {
        cursor.pin(index).storeReleasing(UInt64(IPN_NO_PIN))
        abandon()
        return nil
    }
}

/// A message in place: where it lies, and what must be said to give it back.
@frozen
public struct Delivery {
    public let bytes: UnsafeRawPointer
    /// Bytes.
    public let length: Int
    public let sequence: UInt64
    public let tag: UInt64
    /// CLOCK_MONOTONIC, nanoseconds, at publish.
    public let time: UInt64
    /// Messages of the same writer, right before this one, that were overwritten unread.
    public let lost: UInt64
    public let nodeID: UInt64
    @usableFromInline let pin: Int

    @inlinable @inline(__always)
    init(
        bytes: UnsafeRawPointer, length: Int, sequence: UInt64, tag: UInt64, time: UInt64, lost: UInt64, nodeID: UInt64, pin: Int
    ) {
        self.bytes = bytes
        self.length = length
        self.sequence = sequence
        self.tag = tag
        self.time = time
        self.lost = lost
        self.nodeID = nodeID
        self.pin = pin
    }

    /// Something that no writer sent, and that needs not be given back.
    public init(bytes: UnsafeRawPointer, length: Int, tag: UInt64) {
        self.init(bytes: bytes, length: length, sequence: 0, tag: tag, time: 0, lost: 0, nodeID: 0, pin: 0)
    }
}

extension UInt8 {
    /// Index of the lowest bit that is not set.
    @inlinable @inline(__always)
    var firstFreePin: Int { (~self).trailingZeroBitCount }
}
