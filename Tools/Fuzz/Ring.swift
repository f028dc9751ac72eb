import CIPN
import IPNRing

/// A neighbour's pool header: what passes the check must fit what is mapped.
func fuzzLayout(_ script: inout Script) {
    var header = ipn_pool_header()
    script.fill(&header)
    // Else hardly any would come behind the first look.
    header.magic = UInt64(IPN_POOL_MAGIC)
    header.record_version = UInt32(IPN_RECORD_VERSION)
    header.node_id = 1
    let mtu = Int(script.word() % UInt64(IPN_MTU_MAX)) + 1
    let mapped = Int(script.word() >> (1 + script.word() % 63))
    guard let layout = PoolLayout(checking: header, mtu: mtu, nodeID: 1, mappedSize: mapped) else { return }
    require(layout.size <= mapped, "\(layout.size) bytes in \(mapped)")
    for sizeClass in 0..<layout.classCount {
        let end = layout.offset(ofClass: sizeClass) + layout.stride(sizeClass) * layout.slotsPerClass
        require(end <= layout.size, "class \(sizeClass) ends at \(end) of \(layout.size)")
    }
    require(layout.stride(layout.sizeClass(for: mtu)) >= mtu, "no room for the longest message")
}

private let mtu = 3000
private let layout = PoolLayout(mtu: mtu, slots: 16)
private let pool = GuardedMemory(layout.size)
private let writerRegion = GuardedMemory(NodeRegion.size)
private let readerRegion = GuardedMemory(NodeRegion.size)

/// A writer that lies in its region and its pool, to a reader. What is read is in the pool, or nothing is.
func fuzzReader(_ script: inout Script) {
    for memory in [pool, writerRegion, readerRegion] { memory.clear() }
    let overwrites = script.below(2) == 0
    let (region, own) = (NodeRegion(base: writerRegion.base), NodeRegion(base: readerRegion.base))
    var writer = PoolWriter(base: pool.base, layout: layout, region: region, nodeID: 1)
    let view = PoolView(base: pool.base, layout: layout)
    defer { view.deallocate() }
    var inbox = Inbox(own: own, overwrites: overwrites, limit: UInt64(1 + script.below(16)))
    WriterView.adopt(1, at: 0, cursor: own.cursor(0))
    let doorbell = Doorbell(bell: -1, clapper: -1, key: 0)
    inbox.replace([
        WriterView(
            nodeID: 1, region: region, pool: view, cursor: own.cursor(0), tally: own.lost, doorbell: doorbell, maximumLength: mtu)
    ])
    var held: [Delivery] = []
    while !script.isAtEnd {
        switch script.below(6) {
        case 0:
            let length = script.below(256) * 11
            if let slot = writer.reserve(length) { writer.publish(slot, length: length, time: script.word(), tag: 0) }
        case 1:
            let offset = script.below(2) == 0 ? Int(IPN_NODE_HEAD) : Int(IPN_NODE_OLDEST)
            writerRegion.scribble(offset, script.value(near: writer.next))
        case 2:
            let offset = Int(IPN_PAGE) + 8 * script.below(4 * layout.ringEntries)
            pool.scribble(offset, script.value(near: pool.word(offset)))
        case 3:
            _ = inbox.isReadable()
            if !held.isEmpty { inbox.writers[0].release(held.removeFirst()) }
        default:
            guard let (index, delivery) = inbox.take() else { break }
            require(pool.contains(delivery.bytes, delivery.length), "\(delivery.length) bytes outside the pool")
            require(delivery.length <= mtu, "\(delivery.length) bytes are over the MTU")
            var sum: UInt8 = 0
            for byte in UnsafeRawBufferPointer(start: delivery.bytes, count: delivery.length) { sum &+= byte }
            let keeps = script.below(4) == 0
            inbox.advance(index, past: delivery, keepPin: keeps)
            if keeps { held.append(delivery) }
        }
    }
}

/// A reader that lies in its cursor, to a writer. Each slot is lent once at a time.
func fuzzWriter(_ script: inout Script) {
    for memory in [pool, writerRegion, readerRegion] { memory.clear() }
    let (region, reader) = (NodeRegion(base: writerRegion.base), NodeRegion(base: readerRegion.base))
    var writer = PoolWriter(base: pool.base, layout: layout, region: region, nodeID: 1)
    let doorbell = Doorbell(bell: -1, clapper: -1, key: 0)
    let readers = UnsafeMutableBufferPointer<ReaderView>.allocate(capacity: 1)
    defer { readers.deallocate() }
    readers.initializeElement(
        at: 0, to: ReaderView(nodeID: 2, cursor: reader.cursor(0), armed: reader.armed, doorbell: doorbell, floor: 0))
    let limit: UInt64? = script.below(2) == 0 ? UInt64(1 + script.below(16)) : nil
    let cursor = NodeRegion.cursorRange(0).lowerBound
    while !script.isAtEnd {
        switch script.below(4) {
        case 0:
            let offset = cursor + 8 * script.below(8)
            readerRegion.scribble(offset, script.value(near: script.below(2) == 0 ? writer.next : 2))
        case 1:
            writer.retire(limit: limit, history: UInt64(script.below(4)), readers: readers)
        default:
            let length = script.below(256) * 11
            guard let slot = writer.reserve(length) else { break }
            require(pool.contains(writer.view.payload(slot), length), "a slot outside the pool")
            if script.below(8) == 0 { writer.cancel(slot) } else { writer.publish(slot, length: length, time: 0, tag: 0) }
        }
    }
    // Without the reader every slot is there again, once.
    writer.retire(limit: 0, history: 0, readers: UnsafeMutableBufferPointer(start: nil, count: 0))
    var lent: Set<UInt32> = []
    for _ in 0..<layout.slotsPerClass {
        guard let slot = writer.reserve(mtu) else { break }
        require(lent.insert(slot.packed).inserted, "slot \(slot.packed) was lent twice")
    }
    require(lent.count == layout.slotsPerClass, "\(lent.count) of \(layout.slotsPerClass) slots are left")
}
