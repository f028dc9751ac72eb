public import CIPN

/// One reader as a writer sees it.
@frozen
public struct ReaderView {
    public let nodeID: UInt64
    /// This writer's cursor in the reader's region.
    public let cursor: Cursor
    public let armed: SharedWord
    /// As the caller rings it.
    public let doorbell: Doorbell
    /// Where the reader will start at the earliest, as long as its cursor is not placed yet.
    public let floor: UInt64
    /// The sleep that was rung last: one stroke is enough for each.
    public var rungSleep: UInt64 = 0

    public init(nodeID: UInt64, cursor: Cursor, armed: SharedWord, doorbell: Doorbell, floor: UInt64) {
        self.nodeID = nodeID
        self.cursor = cursor
        self.armed = armed
        self.doorbell = doorbell
        self.floor = floor
    }

    /// The next sequence that the reader wants of the writer `writerID`, or its floor before it has adopted it.
    @inlinable @inline(__always)
    public func tail(of writerID: UInt64) -> UInt64 {
        // SYNC adopt: generation is stored after tail; pairs with WriterView.adopt.
        cursor.generation.loadAcquiring() == writerID ? cursor.tail.loadAcquiring() : floor
    }
}

extension PoolWriter {
    /// The first message that some reader has still to read; `next` where there is none, or no reader.
    @inlinable @inline(__always)
    public func slowest(_ readers: UnsafeMutableBufferPointer<ReaderView>) -> UInt64 {
        var slowest = next
        for index in readers.indices {
            let tail = readers[index].tail(of: nodeID)
            // A tail beyond the head is a lie; it holds nothing back.
            if tail < slowest { slowest = tail }
        }
        return slowest
    }

    /// Takes back every message that need not be kept, except what a reader holds.
    ///
    /// The caller has made sure that `readers` is everybody who could have been given a message (the roster).
    /// - Parameters:
    ///   - limit: messages that a slow reader may have pending; nil on a LOSSLESS network, where it holds all back.
    ///   - history: messages kept though everybody has read them.
    public mutating func retire(
        limit: UInt64?, history: UInt64, readers: UnsafeMutableBufferPointer<ReaderView>
    ) {
        nextAtRetire = next
        noteLowWater()
        var keep = slowest(readers)
        if let limit, next > limit { keep = max(keep, next - limit) }
        if history > 0 { keep = min(keep, next > history ? next - history : 0) }
        guard keep > oldest || pinnedCount > 0 else { return }
        let first = oldest
        oldest = max(oldest, keep)
        sharedOldest.storeReleasing(oldest)
        step("retire: oldest stored, nothing freed")
        // FENCE retire: oldest before the look at the pins; pairs with FENCE pin in WriterView.take. Either the
        // reader sees that its message is too old, or we see its pin.
        fullFence()
        var sequence = first
        if !anyPin(readers) {
            while sequence < oldest {
                cancel(slotOfSequence[view.position(sequence)])
                sequence &+= 1
            }
            for index in 0..<pinnedCount { cancel(pinned[index].slot) }
            pinnedCount = 0
            return
        }
        while sequence < oldest {
            pinned[pinnedCount] = (sequence, slotOfSequence[view.position(sequence)])
            pinnedCount += 1
            sequence &+= 1
        }
        var kept = 0
        for index in 0..<pinnedCount {
            if isPinned(pinned[index].sequence, readers) {
                pinned[kept] = pinned[index]
                kept += 1
            } else {
                cancel(pinned[index].slot)
            }
        }
        pinnedCount = kept
    }

    /// Whether it is time to retire: in strides, so that the readers' cursors are not fetched for every message.
    @inlinable @inline(__always)
    public func wantsRetire(length: Int) -> Bool {
        // Large messages: each time, so that few slots are cycled through the cache.
        next &- nextAtRetire >= (length >= 1 << 16 ? 1 : 32)
    }

    private func anyPin(_ readers: UnsafeMutableBufferPointer<ReaderView>) -> Bool {
        for reader in readers {
            for index in 0..<Int(IPN_PINS) where reader.cursor.pin(index).load() != UInt64(IPN_NO_PIN) { return true }
        }
        return false
    }

    private func isPinned(_ sequence: UInt64, _ readers: UnsafeMutableBufferPointer<ReaderView>) -> Bool {
        for reader in readers {
            for index in 0..<Int(IPN_PINS) where reader.cursor.pin(index).load() == sequence + 1 { return true }
        }
        return false
    }
}
