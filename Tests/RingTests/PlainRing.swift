import CIPN
import Glibc
import IPNRing
import TestSupport

/// Zeroed memory between two pages that nobody may touch: a step outside is a crash, not a guess.
final class PlainMemory: @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    let size: Int
    private let mapping: UnsafeMutableRawPointer
    private let mappedSize: Int

    init(_ size: Int) {
        let page = Int(IPN_PAGE)
        let rounded = (size + page - 1) / page * page
        self.size = size
        mappedSize = rounded + 2 * page
        mapping = mmap(nil, mappedSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        base = mapping.advanced(by: page)
        precondition(mprotect(base, rounded, PROT_READ | PROT_WRITE) == 0)
    }

    deinit { munmap(mapping, mappedSize) }

    func contains(_ bytes: UnsafeRawPointer, _ count: Int) -> Bool {
        let start = bytes - UnsafeRawPointer(base)
        return start >= 0 && count >= 0 && start + count <= size
    }

    /// Overwrites one aligned word. What a neighbour would do.
    func scribble(_ offset: Int, _ value: UInt64) { base.storeBytes(of: value, toByteOffset: offset, as: UInt64.self) }
    func word(_ offset: Int) -> UInt64 { base.load(fromByteOffset: offset, as: UInt64.self) }
}

/// A writer with its pool, and what a bus would do around it: retire when short, never over the limit.
final class RingWriter: @unchecked Sendable {
    let pool: PlainMemory
    let region = PlainMemory(NodeRegion.size)
    let layout: PoolLayout
    let nodeID: UInt64
    var writer: PoolWriter
    var readers = UnsafeMutableBufferPointer<ReaderView>.allocate(capacity: 0)
    let limit: UInt64?
    let history: UInt64
    var clock: UInt64 = 0

    /// - Parameter limit: what a LOSSY reader may have pending; nil for LOSSLESS.
    init(nodeID: UInt64 = 1, mtu: Int = 1514, slots: Int = 16, limit: UInt64? = 8, history: UInt64 = 0) {
        self.nodeID = nodeID
        self.limit = limit
        self.history = history
        layout = PoolLayout(mtu: mtu, slots: slots)
        pool = PlainMemory(layout.size)
        NodeRegion.initialize(region.base, nodeID: nodeID)
        writer = PoolWriter(base: pool.base, layout: layout, region: NodeRegion(base: region.base), nodeID: nodeID)
    }

    deinit { readers.deallocate() }

    var words: NodeRegion { NodeRegion(base: region.base) }

    func addReader(_ reader: RingReader, cursor: Int) {
        let views =
            Array(readers) + [
                ReaderView(
                    nodeID: reader.nodeID, cursor: reader.words.cursor(cursor), armed: reader.words.armed,
                    doorbell: Doorbell(bell: -1, clapper: -1, key: 0),
                    floor: writer.next)
            ]
        readers.deallocate()
        readers = .allocate(capacity: views.count)
        _ = readers.initialize(from: views)
    }

    func lend(_ count: Int) -> SlotNumber? { writer.reserve(count) }

    func retire() { writer.retire(limit: limit, history: history, readers: readers) }

    func reserve(_ count: Int) -> SlotNumber? {
        if let slot = writer.reserve(count) { return slot }
        retire()
        return writer.reserve(count)
    }

    /// Publishes a message that is made of its own sequence. - Returns: whether a slot was free.
    @discardableResult
    func send(_ count: Int) -> Bool {
        guard let slot = reserve(count) else { return false }
        let seed = nodeID << 40 | writer.next
        Pattern.fill(UnsafeMutableRawBufferPointer(start: writer.view.payload(slot), count: count), seed: seed)
        clock += 1
        writer.publish(slot, length: count, time: clock, tag: seed)
        return true
    }
}

/// A reader of any number of writers.
final class RingReader: @unchecked Sendable {
    let nodeID: UInt64
    let region = PlainMemory(NodeRegion.size)
    var inbox: Inbox
    private var views: [PoolView] = []

    init(nodeID: UInt64 = 100, overwrites: Bool = true, limit: UInt64 = 8) {
        self.nodeID = nodeID
        NodeRegion.initialize(region.base, nodeID: nodeID)
        inbox = Inbox(own: NodeRegion(base: region.base), overwrites: overwrites, limit: limit)
    }

    deinit { for view in views { view.deallocate() } }

    var words: NodeRegion { NodeRegion(base: region.base) }

    /// Joins a writer's stream, each side as it would over the bus. Cursors are numbered by the order of calls.
    func join(_ writer: RingWriter, at start: UInt64? = nil) {
        let index = inbox.writers.count
        let view = PoolView(base: writer.pool.base, layout: writer.layout)
        views.append(view)
        WriterView.adopt(writer.nodeID, at: start ?? writer.words.head.loadAcquiring(), cursor: words.cursor(index))
        writer.addReader(self, cursor: index)
        let added = WriterView(
            nodeID: writer.nodeID, region: writer.words, pool: view, cursor: words.cursor(index), tally: words.lost,
            doorbell: Doorbell(bell: -1, clapper: -1, key: 0),
            maximumLength: writer.layout.lastStride)
        inbox.replace(Array(inbox.writers) + [added])
    }

    struct Taken: Equatable {
        let sequence: UInt64
        let lost: UInt64
        let count: Int
        let isWhole: Bool
        let writer: UInt64
    }

    /// The next message, checked in place, and given back.
    func take() -> Taken? {
        guard let (writer, delivery) = inbox.take() else { return nil }
        let taken = describe(delivery)
        inbox.advance(writer, past: delivery, keepPin: false)
        return taken
    }

    /// The next message, and its writer's index; the caller advances.
    func lend() -> (Int, Delivery)? { inbox.take() }

    /// The next message, held.
    func hold() -> Delivery? {
        guard let (writer, delivery) = inbox.take() else { return nil }
        inbox.advance(writer, past: delivery, keepPin: true)
        return delivery
    }

    func release(_ delivery: Delivery) { inbox.release(delivery) }
    func canTake() -> Bool { inbox.canTake() }
    func isReadable() -> Bool { inbox.isReadable() }

    func describe(_ delivery: Delivery) -> Taken {
        Taken(
            sequence: delivery.sequence, lost: delivery.lost, count: delivery.length, isWhole: isWhole(delivery),
            writer: delivery.nodeID)
    }

    func isWhole(_ delivery: Delivery) -> Bool {
        delivery.tag == delivery.nodeID << 40 | delivery.sequence
            && Pattern.matches(UnsafeRawBufferPointer(start: delivery.bytes, count: delivery.length), seed: delivery.tag)
    }
}
