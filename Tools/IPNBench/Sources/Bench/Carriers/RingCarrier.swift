import CBench
import Glibc
import Synchronization

/// The memory of a bare ring for one reader: head and tail on lines of their own, then places of one size.
///
/// Nothing of a bus is in it: no roles, no joining, no sizes, no checks, no sleep, nobody else's memory.
struct RingMemory {
    let head: UnsafePointer<Atomic<UInt64>>
    let tail: UnsafePointer<Atomic<UInt64>>
    private let places: UnsafeMutableRawPointer
    private let stride: Int
    let count: UInt64

    private static func stride(_ size: Int) -> Int { (size + 127) & ~127 }
    private static func count(_ size: Int) -> Int { max(4, min(4096, (4 << 20) / stride(size))) }
    static func bytes(_ size: Int) -> Int { 4096 + stride(size) * count(size) }

    init(_ descriptor: Int32, size: Int) throws {
        guard let base = bench_map(descriptor, Self.bytes(size)) else { throw Failure(calling: "mmap", errno) }
        head = UnsafePointer(base.assumingMemoryBound(to: Atomic<UInt64>.self))
        tail = UnsafePointer((base + 128).assumingMemoryBound(to: Atomic<UInt64>.self))
        places = base + 4096
        stride = Self.stride(size)
        count = UInt64(Self.count(size))
    }

    @inline(__always)
    func place(_ sequence: UInt64) -> UnsafeMutableRawPointer { places + Int(sequence % count) * stride }
}

/// Looks until a condition holds; lets others run now and then, for there may be more spinners than processors.
@inline(__always)
private func spin(until condition: () -> Bool) {
    while true {
        for _ in 0..<64 {
            if condition() { return }
            bench_pause()
        }
        sched_yield()
    }
}

final class RingSender: Sender {
    private let ring: RingMemory
    private var next: UInt64 = 0
    private var known: UInt64 = 0

    init(_ descriptor: Int32, size: Int) throws { ring = try RingMemory(descriptor, size: size) }

    @inline(__always)
    func send(_ count: Int, _ fill: (UnsafeMutableRawPointer) -> Void) throws {
        if next - known >= ring.count {
            spin {
                known = ring.tail.pointee.load(ordering: .acquiring)
                return next - known < ring.count
            }
        }
        fill(ring.place(next))
        next += 1
        ring.head.pointee.store(next, ordering: .releasing)
    }
}

final class RingReceiver: Receiver {
    private let ring: RingMemory
    private var next: UInt64 = 0
    private var known: UInt64 = 0

    init(_ descriptor: Int32, size: Int) throws { ring = try RingMemory(descriptor, size: size) }

    @inline(__always)
    func receive(while body: (UnsafeRawPointer) -> Bool) throws {
        var wantsMore = true
        while wantsMore {
            if known == next {
                spin {
                    known = ring.head.pointee.load(ordering: .acquiring)
                    return known != next
                }
            }
            wantsMore = body(UnsafeRawPointer(ring.place(next)))
            next += 1
            ring.tail.pointee.store(next, ordering: .releasing)
        }
    }
}
