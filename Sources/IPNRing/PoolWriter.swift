public import CIPN

/// The writing end of a slot pool: lends slots, publishes them, takes them back.
///
///     free --reserve--> lent --publish--> readable --retire--> free
///                        |                            `-------> pinned --(unpinned)--> free
///                        `--cancel--> free
///
/// What is free is known here alone; of what readers say only cursors and pins are looked at, and only in `retire`.
/// RT safe: no system calls, no allocation after `init`. One thread at a time.
@frozen
public struct PoolWriter: ~Copyable {
    public let view: PoolView
    public let nodeID: UInt64
    /// Sequence of the next message.
    public var next: UInt64 = 0
    /// The first message that may still be read.
    public var oldest: UInt64 = 0

    @usableFromInline let head: SharedWord
    @usableFromInline let sharedOldest: SharedWord
    /// The slot of each message from `oldest` to `next`, by ring position.
    @usableFromInline let slotOfSequence: UnsafeMutablePointer<SlotNumber>
    /// A stack of free slots for each class: the last freed is lent first, so that the working set stays in the cache.
    @usableFromInline let free: UnsafeMutablePointer<UInt32>
    @usableFromInline let freeCount: UnsafeMutablePointer<Int>
    /// Retired, and held by a reader.
    @usableFromInline let pinned: UnsafeMutablePointer<(sequence: UInt64, slot: SlotNumber)>
    @usableFromInline var pinnedCount = 0
    /// Bytes of each slot that are paid for.
    @usableFromInline let committed: UnsafeMutablePointer<Int>
    @usableFromInline var nextAtRetire: UInt64 = 0
    /// The fewest slots of each class that were free since the last trim.
    let lowWater: UnsafeMutablePointer<Int>
    /// Slots at the bottom of each class's stack that nothing is paid for, as long as fewer are not free.
    let dry: UnsafeMutablePointer<Int>
    /// When to look for surplus memory again.
    @usableFromInline var nextTrim: UInt64

    /// - Parameters:
    ///   - base: zeroed memory of `layout.size` bytes that outlives this value.
    ///   - region: the writer's own node region.
    public init(base: UnsafeMutableRawPointer, layout: PoolLayout, region: NodeRegion, nodeID: UInt64) {
        let slots = layout.classCount * layout.slotsPerClass
        view = PoolView(base: base, layout: layout)
        self.nodeID = nodeID
        head = region.head
        sharedOldest = region.oldest
        slotOfSequence = .allocate(capacity: layout.ringEntries)
        slotOfSequence.initialize(repeating: SlotNumber(packed: 0), count: layout.ringEntries)
        free = .allocate(capacity: slots)
        freeCount = .allocate(capacity: layout.classCount)
        pinned = .allocate(capacity: slots)
        lowWater = .allocate(capacity: layout.classCount)
        lowWater.initialize(repeating: layout.slotsPerClass, count: layout.classCount)
        dry = .allocate(capacity: layout.classCount)
        dry.initialize(repeating: layout.slotsPerClass, count: layout.classCount)
        nextTrim = Self.trimInterval
        committed = .allocate(capacity: slots)
        committed.initialize(repeating: 0, count: slots)
        for sizeClass in 0..<layout.classCount {
            freeCount[sizeClass] = layout.slotsPerClass
            for index in 0..<layout.slotsPerClass {
                free[sizeClass * layout.slotsPerClass + index] = UInt32(layout.slotsPerClass - 1 - index)
            }
        }
        let header = base.assumingMemoryBound(to: ipn_pool_header.self)
        header.pointee.node_id = nodeID
        header.pointee.size = UInt64(layout.size)
        header.pointee.slots_per_class = UInt32(layout.slotsPerClass)
        header.pointee.record_version = UInt32(IPN_RECORD_VERSION)
        header.pointee.magic = UInt64(IPN_POOL_MAGIC)
    }

    /// Bytes that a writer has beside its pool, in memory of its own: what can be asked for without fail only if there is room.
    public static func privateBytes(of layout: PoolLayout) -> Int {
        let slots = layout.classCount * layout.slotsPerClass
        let each = MemoryLayout<UInt32>.stride + MemoryLayout<Int>.stride + MemoryLayout<(sequence: UInt64, slot: SlotNumber)>.stride
        return slots * each + layout.ringEntries * MemoryLayout<SlotNumber>.stride + layout.classCount * 4 * MemoryLayout<Int>.stride
    }

    deinit {
        view.deallocate()
        slotOfSequence.deallocate()
        free.deallocate()
        freeCount.deallocate()
        pinned.deallocate()
        committed.deallocate()
        lowWater.deallocate()
        dry.deallocate()
    }

    /// Lends a slot for `length` bytes, at most the MTU. Nil where none is free: retire, then ask again.
    @inlinable @inline(__always)
    public mutating func reserve(_ length: Int) -> SlotNumber? {
        // The ring has an entry more than a class has slots; several classes together could lap it.
        guard next &- oldest < UInt64(view.layout.ringEntries - 1) else { return nil }
        var sizeClass = view.layout.sizeClass(for: length)
        // A larger slot serves where the fitting class is used up.
        while freeCount[sizeClass] == 0 {
            sizeClass += 1
            if sizeClass == view.layout.classCount { return nil }
        }
        freeCount[sizeClass] -= 1
        let top = sizeClass * view.layout.slotsPerClass + freeCount[sizeClass]
        // A reader had the lines that the next messages go to: they are on their way while this one is filled.
        let ahead = Int(IPN_AHEAD)
        if freeCount[sizeClass] >= ahead {
            let start = view.payload(SlotNumber(sizeClass: sizeClass, index: Int(free[top - ahead])))
            ipn_prefetch_write(start)
            ipn_prefetch_write(start + (length - 1))
        }
        ipn_prefetch_write(view.entry(next &+ 2 &* UInt64(ahead)))
        return SlotNumber(sizeClass: sizeClass, index: Int(free[top]))
    }

    /// Takes a lent slot back unpublished.
    @inlinable @inline(__always)
    public mutating func cancel(_ slot: SlotNumber) {
        free[slot.sizeClass * view.layout.slotsPerClass + freeCount[slot.sizeClass]] = UInt32(slot.index)
        freeCount[slot.sizeClass] += 1
    }

    /// The range of the pool that must be paid for before `length` bytes of the slot may be touched. Nil in the steady
    /// state.
    @inlinable @inline(__always)
    public func uncommitted(_ slot: SlotNumber, length: Int) -> Range<Int>? {
        let done = committed[slot.sizeClass * view.layout.slotsPerClass + slot.index]
        if done >= length { return nil }
        let start = view.payloadOffset(slot)
        return start + done..<pageEnd(start + length)
    }

    /// Notes what was paid for: memory comes in pages, so the slots that follow in the last one are paid for as well.
    public mutating func markCommitted(_ slot: SlotNumber, length: Int) {
        let start = view.payloadOffset(slot)
        let stride = view.layout.stride(slot.sizeClass)
        let end = pageEnd(start + length)
        let first = slot.sizeClass * view.layout.slotsPerClass
        committed[first + slot.index] = min(stride, end - start)
        var index = slot.index + 1
        while index < view.layout.slotsPerClass && start + (index - slot.index + 1) * stride <= end {
            committed[first + index] = stride
            index += 1
        }
    }

    /// The border of the page that ends at or behind an offset; the pool itself may end before.
    @usableFromInline
    func pageEnd(_ offset: Int) -> Int { min((offset + Int(IPN_PAGE) - 1) & ~(Int(IPN_PAGE) - 1), view.layout.size) }

    /// Makes a filled slot the next message. Afterwards the caller looks who is armed, and rings.
    @inlinable @inline(__always)
    public mutating func publish(_ slot: SlotNumber, length: Int, time: UInt64, tag: UInt64) {
        let entry = view.entry(next)
        entry.pointee.length = UInt64(length)
        entry.pointee.time = time
        entry.pointee.tag = tag
        slotOfSequence[view.position(next)] = slot
        step("publish: entry filled, place not stored")
        // SYNC entry: pairs with the acquiring load of the place in WriterView.take.
        view.place(next).storeReleasing(next << 32 | UInt64(slot.packed))
        step("publish: place stored, head not")
        next &+= 1
        // SYNC head: pairs with the acquiring load of head in WriterView.pending.
        head.storeReleasing(next)
        step("publish: head stored, nobody rung")
        // FENCE publish: head before the look at `armed`; pairs with FENCE arm in Inbox. Without it a reader that
        // arms just now is missed by us and misses us: a lost wake-up.
        fullFence()
    }
}
