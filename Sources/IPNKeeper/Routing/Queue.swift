import CIPN
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

/// What one recipient has still to read: a slot pool of the keeper's own that is handed to nobody else.
struct Queue: ~Copyable {
    private let memory: SharedMemory
    /// What the recipient is given.
    let handle: Descriptor
    private var writer: PoolWriter
    /// The recipient, as the only reader.
    private let reader: UnsafeMutableBufferPointer<ReaderView>
    private let words: NodeRegion
    private let limit: UInt64
    private let isLossless: Bool
    /// The tickets of what is in it, by sequence (LOSSLESS).
    private let tickets: UnsafeMutablePointer<Int>
    private let ticketMask: UInt64
    /// Up to here the recipient has read, as far as was looked.
    private var settled: UInt64 = 0
    private var waits: UInt64 = 0

    /// - Parameters:
    ///   - nodeID: the queue's own, as the roster names it.
    ///   - words: the region that the keeper writes for this recipient.
    ///   - recipient: its node, and the words that it writes.
    ///   - capacity: messages that a LOSSLESS network may have under way.
    init(
        nodeID: UInt64, words: NodeRegion, recipient: UInt64, recipientWords: NodeRegion, doorbell: Doorbell, options: ipn_options, capacity: Int
    ) throws(Errno) {
        isLossless = options.flags & UInt32(IPN_FLAG_LOSSLESS) != 0
        limit = UInt64(options.pool_size)
        self.words = words
        // What is pending, what is held in place, and some to go on with while those are looked for.
        let pending = isLossless ? capacity : Int(options.pool_size)
        let layout = PoolLayout(mtu: Int(options.mtu), slots: pending + Int(IPN_PINS) + 32)
        try requireMemory(PoolWriter.privateBytes(of: layout) + MemoryLayout<Int>.stride * layout.ringEntries)
        let memory = try SharedMemory(name: "ipn-queue", size: layout.size, sealedAgainstMapping: false)
        try memory.commit(0..<layout.classesOffset)
        let handle = try memory.readOnlyDescriptor()
        writer = PoolWriter(base: memory.mapping.base, layout: layout, region: words, nodeID: nodeID)
        self.memory = memory
        self.handle = handle
        reader = .allocate(capacity: 1)
        reader.initialize(
            repeating: ReaderView(
                nodeID: recipient, cursor: recipientWords.cursor(Queue.cursor), armed: recipientWords.armed, doorbell: doorbell, floor: 0))
        ticketMask = UInt64(layout.ringEntries - 1)
        tickets = .allocate(capacity: layout.ringEntries)
    }

    deinit {
        reader.deallocate()
        tickets.deallocate()
    }

    /// The index of the queue's cursor in its recipient's region: nobody else writes to it.
    static let cursor = 0

    /// Appends a copy of a message, and wakes the recipient where it sleeps. On a LOSSY network the oldest goes for it.
    ///
    /// - Throws: `ENOBUFS` where memory is exhausted.
    mutating func append(_ bytes: UnsafeRawPointer?, length: Int, tag: UInt64, ticket: Int) throws(Errno) {
        if writer.wantsRetire(length: length) { retire() }
        var slot = writer.reserve(length)
        if slot == nil {
            retire()
            slot = writer.reserve(length)
        }
        guard let slot else { throw Errno(rawValue: ENOBUFS) }
        if let range = writer.uncommitted(slot, length: length) {
            do throws(Errno) {
                try memory.commit(range)
            } catch {
                writer.cancel(slot)
                throw Errno(rawValue: ENOBUFS)
            }
            writer.markCommitted(slot, length: length)
        }
        if let bytes, length > 0 { writer.view.payload(slot).copyMemory(from: bytes, byteCount: length) }
        tickets[Int(writer.next & ticketMask)] = ticket
        writer.publish(slot, length: length, time: isLossless ? 0 : clockNanoseconds(), tag: tag)
        // After the fence in publish.
        let armed = reader[0].armed.load()
        if armed & UInt64(IPN_ASLEEP) != 0 && armed != reader[0].rungSleep {
            reader[0].rungSleep = armed
            reader[0].doorbell.ring(armed)
        }
    }

    private mutating func retire() {
        writer.retire(limit: isLossless ? nil : limit, history: 0, readers: reader)
    }

    // MARK: LOSSLESS

    var isEmpty: Bool { settled == writer.next }

    /// Hands out the tickets of what the recipient has read since it was last looked at.
    mutating func settle(_ body: (Int) -> Void) {
        // A tail beyond the head is a lie, and `slowest` says so; one that goes back changes nothing.
        settle(upTo: writer.slowest(reader), body)
    }

    /// Hands out all tickets: nobody will read what is left.
    mutating func abandon(_ body: (Int) -> Void) { settle(upTo: writer.next, body) }

    private mutating func settle(upTo end: UInt64, _ body: (Int) -> Void) {
        while settled < end {
            body(tickets[Int(settled & ticketMask)])
            settled &+= 1
        }
    }

    /// Asks the recipient to ring once it has read something. A fence follows in the caller, and another look.
    mutating func startWaiting() {
        waits &+= UInt64(IPN_SLEEP_STEP)
        words.waiting.storeReleasing(waits | UInt64(IPN_ASLEEP))
    }
}
