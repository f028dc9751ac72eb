public import Synchronization

/// A 64-bit word of shared memory. Only ever loaded and stored atomically: another process does the same.
///
/// RT safe. The pointer stays valid as long as the mapping that it was made from, which its maker keeps.
@frozen
public struct SharedWord: @unchecked Sendable {
    // Sendable: the word is atomic, and the address is constant.
    @usableFromInline let word: UnsafePointer<Atomic<UInt64>>

    @inlinable @inline(__always)
    public init(_ base: UnsafeRawPointer, _ offset: Int) {
        word = base.advanced(by: offset).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    @inlinable @inline(__always)
    public func load() -> UInt64 { word.pointee.load(ordering: .relaxed) }

    @inlinable @inline(__always)
    public func loadAcquiring() -> UInt64 { word.pointee.load(ordering: .acquiring) }

    @inlinable @inline(__always)
    public func store(_ value: UInt64) { word.pointee.store(value, ordering: .relaxed) }

    @inlinable @inline(__always)
    public func storeReleasing(_ value: UInt64) { word.pointee.store(value, ordering: .releasing) }
}

/// The sequentially consistent fence: between "I have said" and "what have the others said?". Each use names its partner.
@inlinable @inline(__always)
public func fullFence() {
    atomicMemoryFence(ordering: .sequentiallyConsistent)
}
