public import CIPN

/// Where everything is in a slot pool: computed by its writer, checked by its readers.
///
/// Payload slots come in classes of 256 B, 512 B, 1 KiB, ... up to the MTU, so that a message costs about what it
/// holds. The areas are sparse: a slot that was never used has no memory.
@frozen
public struct PoolLayout: Sendable, Equatable {
    public let classCount: Int
    public let slotsPerClass: Int
    /// A power of two, so that a sequence maps to its entry by a mask.
    public let ringEntries: Int
    public let classesOffset: Int
    /// The last class's slots may be smaller than a power of two: they end at the MTU.
    public let lastStride: Int

    /// Bytes of the whole pool.
    public var size: Int { offset(ofClass: classCount - 1) + lastStride * slotsPerClass }

    /// - Parameters:
    ///   - mtu: the longest message, 1 to 1 GiB.
    ///   - slots: in each class: at least what may be pending, kept and pinned at the same time.
    public init(mtu: Int, slots: Int) {
        var count = 1
        while Self.stride(ofClass: count - 1) < mtu { count += 1 }
        let page = Int(IPN_PAGE)
        classCount = count
        slotsPerClass = slots
        ringEntries = Self.powerOfTwo(atLeast: slots + 1)
        classesOffset = page + Self.pages(Int(IPN_ENTRY) * ringEntries)
        lastStride = count == 1 ? Self.stride(ofClass: 0) : min(Self.stride(ofClass: count - 1), Self.pages(mtu))
    }

    /// The layout that a neighbour's pool header claims, or nil where it does not hold together.
    ///
    /// - Parameters:
    ///   - header: a private copy: the original may change while we look.
    ///   - mappedSize: bytes that are really there.
    public init?(checking header: ipn_pool_header, mtu: Int, nodeID: UInt64, mappedSize: Int) {
        let slots = Int(header.slots_per_class)
        guard header.magic == UInt64(IPN_POOL_MAGIC), header.record_version == UInt32(IPN_RECORD_VERSION),
            header.node_id == nodeID, slots > 0, slots < 1 << 24
        else { return nil }
        // Both sides compute the same from the same two numbers, so nothing else of the header needs belief.
        let layout = PoolLayout(mtu: mtu, slots: slots)
        guard layout.size <= mappedSize else { return nil }
        self = layout
    }

    @inlinable @inline(__always)
    public func stride(_ index: Int) -> Int {
        index == classCount - 1 ? lastStride : Self.stride(ofClass: index)
    }

    public func offset(ofClass index: Int) -> Int {
        var offset = classesOffset
        for below in 0..<index { offset += Self.pages(Self.stride(ofClass: below) * slotsPerClass) }
        return offset
    }

    /// The smallest class whose slots hold `length` bytes.
    @inlinable @inline(__always)
    public func sizeClass(for length: Int) -> Int {
        if length <= 1 << Int(IPN_CLASS_MIN_LOG2) { return 0 }
        let bits = Int.bitWidth - (length - 1).leadingZeroBitCount
        let step = Int(IPN_CLASS_STEP_LOG2)
        return min((bits - Int(IPN_CLASS_MIN_LOG2) + step - 1) / step, classCount - 1)
    }

    @inlinable @inline(__always)
    static func stride(ofClass index: Int) -> Int {
        1 << (Int(IPN_CLASS_MIN_LOG2) + index * Int(IPN_CLASS_STEP_LOG2))
    }

    private static func pages(_ bytes: Int) -> Int {
        let page = Int(IPN_PAGE)
        return (bytes + page - 1) / page * page
    }

    private static func powerOfTwo(atLeast value: Int) -> Int {
        var power = 1
        while power < value { power <<= 1 }
        return power
    }
}

/// Which slot a message lies in: 8 bits of class, 24 bits of index, as in the low half of a ring entry.
@frozen
public struct SlotNumber: Equatable {
    public let packed: UInt32

    @inlinable @inline(__always)
    public init(packed: UInt32) { self.packed = packed }

    @inlinable @inline(__always)
    public init(sizeClass: Int, index: Int) { packed = UInt32(sizeClass) << 24 | UInt32(index) }

    @inlinable @inline(__always)
    public var sizeClass: Int { Int(packed >> 24) }
    @inlinable @inline(__always)
    public var index: Int { Int(packed & 0xff_ffff) }
}

/// A pool's memory and layout, with the addresses worked out once.
@frozen
public struct PoolView {
    public let base: UnsafeMutableRawPointer
    public let layout: PoolLayout
    @usableFromInline let ring: UnsafeMutableRawPointer
    @usableFromInline let mask: UInt64
    /// Offset of each class's first payload, by the class's index.
    @usableFromInline let classOffsets: UnsafeMutablePointer<Int>

    /// - Parameter base: `layout.size` bytes that outlive this value. Readers' memory is mapped read-only; they
    ///   never call anything here that stores.
    public init(base: UnsafeMutableRawPointer, layout: PoolLayout) {
        self.base = base
        self.layout = layout
        ring = base.advanced(by: Int(IPN_PAGE))
        mask = UInt64(layout.ringEntries - 1)
        classOffsets = .allocate(capacity: layout.classCount)
        for index in 0..<layout.classCount { classOffsets[index] = layout.offset(ofClass: index) }
    }

    public func deallocate() { classOffsets.deallocate() }

    @inlinable @inline(__always)
    public func position(_ sequence: UInt64) -> Int { Int(sequence & mask) }

    @inlinable @inline(__always)
    public func entry(_ sequence: UInt64) -> UnsafeMutablePointer<ipn_entry> {
        ring.advanced(by: Int(IPN_ENTRY) * position(sequence)).assumingMemoryBound(to: ipn_entry.self)
    }

    /// The word that is stored last: an entry with the right sequence in it is there.
    @inlinable @inline(__always)
    public func place(_ sequence: UInt64) -> SharedWord { SharedWord(entry(sequence), 0) }

    @inlinable @inline(__always)
    public func payloadOffset(_ slot: SlotNumber) -> Int {
        classOffsets[slot.sizeClass] + slot.index * layout.stride(slot.sizeClass)
    }

    @inlinable @inline(__always)
    public func payload(_ slot: SlotNumber) -> UnsafeMutableRawPointer { base.advanced(by: payloadOffset(slot)) }

    @inlinable @inline(__always)
    public func isValid(_ slot: SlotNumber) -> Bool {
        slot.sizeClass < layout.classCount && slot.index < layout.slotsPerClass
    }
}
