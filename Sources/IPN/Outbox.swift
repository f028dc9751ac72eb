import CIPN
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

/// The sending side of a node: its slot pool, who reads it, and on a LOSSLESS network who else writes.
///
/// RT safe in the steady state: no allocation, no lock, no system call but the bells of sleepers. It becomes slower
/// only when the roster has changed, a slot is used for the first time, or a LOSSLESS network is full.
struct Outbox: ~Copyable {
    var pool: PoolWriter
    let memory: SharedMemory
    let cursor: Int
    let own: NodeRegion
    let wakers: NodeWakers
    let membership: Membership
    let page: NetworkPage
    let isLossless: Bool
    let isRouted: Bool
    let limit: UInt64
    let history: UInt64
    /// Nothing older is kept as history.
    private var historyStart: UInt64 = 0
    /// When surplus memory was looked for by the clock; nanoseconds on CLOCK_MONOTONIC.
    private var trimmed: UInt64 = 0

    var readers: UnsafeMutableBufferPointer<ReaderView>
    var others: UnsafeMutableBufferPointer<OtherWriter>
    /// Keeps what `readers` and `others` point to.
    var peers: [Peer] = []
    var receivers: [OtherReader] = []
    /// Whether this node reads what the others send: then it counts like every other reader.
    let receives: Bool
    /// Whether a program may poll the handle for room.
    var isPolled = false
    var rosterVersion: UInt64 = 0
    var courtesy = Courtesy()
    /// `pool.next` when the roster was last seen unchanged: a newcomer to a LOSSLESS network wants nothing older.
    var checkedNext: UInt64 = 0
    /// Between two keepers: somebody may be on the network of whom we have not heard.
    var mayHaveUnknownReaders = false
    /// No reader was behind this when last looked at; tails only grow.
    var slowestKnown: UInt64 = 0
    var waits: UInt64 = 0
    var dropped: UInt64 = 0
    var sentBytes: UInt64 = 0
    /// For the answer of the keeper that is due.
    var hasWaited = false

    /// Another writer, as far as its pending messages count.
    struct OtherWriter {
        let nodeID: UInt64
        let head: SharedWord
        let cursor: Int
        let began: Int
        /// Where we begin to receive it ourselves.
        let ownStart: UInt64
        var slowestKnown: UInt64 = 0
    }

    /// A reader, as far as it has still to read what other writers sent.
    struct OtherReader {
        let nodeID: UInt64
        let words: NodeRegion
        let joined: Int
    }

    /// Makes the pool and announces it.
    /// - Parameter wakers: the node's; readers ring for room.
    static func open(
        membership: Membership, own: NodeRegion, nodeID: UInt64, wakers: NodeWakers, receives: Bool
    ) throws(Errno) -> Outbox {
        let options = membership.options
        let layout = options.poolLayout
        try requireMemory(PoolWriter.privateBytes(of: layout))
        let memory = try SharedMemory(name: "ipn-pool", size: layout.size, sealedAgainstMapping: false)
        try memory.commit(0..<layout.classesOffset)
        let pool = PoolWriter(base: memory.mapping.base, layout: layout, region: own, nodeID: nodeID)
        let handle = try memory.readOnlyDescriptor()
        step("pool: made, not announced")
        let cursor: Int
        membership.note(pool: memory.descriptor.raw)
        do throws(Errno) {
            cursor = Int(try membership.call(ipn_request(IPN_OP_POOL), descriptors: [handle.raw]).value)
        } catch {
            membership.note(pool: -1)
            throw error
        }
        step("pool: announced")
        // The first message should find everybody who was there before the keeper.
        if membership.refresh(.untilAnswered) { awaitReturns(membership, isLossless: options.flags & UInt32(IPN_FLAG_LOSSLESS) != 0) }
        return Outbox(membership: membership, own: own, wakers: wakers, memory: memory, pool: pool, cursor: cursor, receives: receives)
    }

    private init(
        membership: Membership, own: NodeRegion, wakers: NodeWakers, memory: consuming SharedMemory, pool: consuming PoolWriter,
        cursor: Int, receives: Bool
    ) {
        let options = membership.options
        isLossless = options.flags & UInt32(IPN_FLAG_LOSSLESS) != 0
        isRouted = membership.isRouted
        limit = UInt64(options.pendingLimit)
        history = UInt64(options.history)
        self.membership = membership
        page = membership.page
        self.own = own
        self.wakers = wakers
        self.memory = memory
        self.pool = pool
        self.cursor = cursor
        self.receives = receives
        readers = .allocate(capacity: 0)
        others = .allocate(capacity: 0)
        rebuild()
    }

    deinit {
        readers.deallocate()
        others.deallocate()
    }

    // MARK: One message

    /// Lends a slot for `length` bytes.
    ///
    /// - Parameters:
    ///   - timeout: how long to wait for room (LOSSLESS); nil for as long as it takes, zero for not at all.
    ///   - asks: whether room that is missed is asked for; false for who comes again with more time.
    /// - Returns: nil where a LOSSY network has no slot left: the message is lost to all, and counted.
    /// - Throws: `EAGAIN` without room in time, `EINTR`, `ENOBUFS` without memory.
    @inline(__always)
    mutating func lend(_ length: Int, timeout: Duration?, asks: Bool = true) throws(Errno) -> SlotNumber? {
        if isRouted && wakers.isNetworkOver { throw Errno.brokenPipe }
        if isLossless {
            // What others have pending counts from their first message on.
            if page.rosterVersion.load() != rosterVersion { refresh() }
            if !hasRoom() {
                guard asks else { throw Errno.resourceTemporarilyUnavailable }
                try waitForRoom(deadline: Deadline.after(timeout))
            }
        }
        if pool.wantsRetire(length: length) { retire() }
        var slot = pool.reserve(length)
        if slot == nil {
            retire()
            slot = pool.reserve(length)
        }
        if slot == nil && !isLossless && !hasWaited {
            // All spare slots are used, and the keeper has not answered: it may only want a processor. Once for each
            // answer: a keeper that is stopped holds up no LOSSY writer.
            hasWaited = true
            if membership.refresh(.moment) {
                rebuild()
                retire()
                slot = pool.reserve(length)
            }
        }
        guard let slot else {
            guard !isLossless else { throw Errno(rawValue: ENOBUFS) }
            dropped &+= 1
            own.dropped.store(dropped)
            return nil
        }
        if let range = pool.uncommitted(slot, length: length) { try commit(slot, range, length) }
        step("lend: slot lent")
        return slot
    }

    @inline(__always)
    func payload(_ slot: SlotNumber) -> UnsafeMutableRawPointer { pool.view.payload(slot) }

    /// Publishes a filled slot, and rings whoever sleeps.
    @inline(__always)
    mutating func publish(_ slot: SlotNumber, length: Int, tag: UInt64) {
        // Before head, on whose line it is: readers take the line once.
        sentBytes &+= UInt64(truncatingIfNeeded: length)
        own.sentBytes.store(sentBytes)
        // Time stamps are for finding the oldest of several writers' messages; where none is dropped, the clock's
        // 25 ns are better saved.
        pool.publish(slot, length: length, time: isLossless ? 0 : clockNanoseconds(), tag: tag)
        // After the fence in publish: whoever joined before it is in this version, whoever joins later starts behind.
        if page.rosterVersion.load() == rosterVersion || refresh() { checkedNext = pool.next }
        ringSleepers()
    }

    /// Rings every reader that sleeps, once for each sleep.
    ///
    /// Also called before a short message is filled, so that the wake-up, which takes longer than that, has begun
    /// meanwhile. Who wakes too early finds nothing and arms anew, under another number, and is rung again by publish.
    @inline(__always)
    mutating func ringSleepers() {
        for index in readers.indices {
            let armed = readers[index].armed.load()
            if armed & UInt64(IPN_ASLEEP) != 0 && armed != readers[index].rungSleep {
                readers[index].rungSleep = armed
                readers[index].doorbell.ring(armed)
            }
        }
    }

    mutating func cancel(_ slot: SlotNumber) { pool.cancel(slot) }

    /// Pays for a slot's memory before it is touched: exhausted memory is an error here, never a signal.
    mutating func commit(
        _ slot: SlotNumber, _ range: Range<Int>, _ length: Int
    ) throws(Errno) {
        do throws(Errno) {
            try memory.commit(range)
        } catch {
            pool.cancel(slot)
            throw Errno(rawValue: ENOBUFS)
        }
        pool.markCommitted(slot, length: length)
    }

    /// - Returns: false where the keeper has not said yet who is there.
    @discardableResult
    mutating func retire() -> Bool {
        // Nothing is taken back before the roster is known: a newcomer may hold it.
        guard page.rosterVersion.load() == rosterVersion || refresh() else { return false }
        var kept = min(history, pool.next &- historyStart)
        // Who may be there unknown to us is owed what any slow receiver is.
        if mayHaveUnknownReaders && !isLossless { kept = max(kept, limit) }
        pool.retire(limit: isLossless ? nil : limit, history: kept, readers: readers)
        if pool.wantsTrim { trim() }
        return true
    }

    /// Gives memory back that has not been needed for thousands of messages.
    private mutating func trim() {
        let raw = memory.descriptor.raw
        pool.trim { SharedMemory.discard($0, of: raw) }
    }

    /// Gives up what was sent before a message and everybody has read.
    mutating func keepHistory(from sequence: UInt64) {
        historyStart = min(max(historyStart, sequence), pool.next)
        // What is kept may have become small: memory follows by the clock as well, which only who keeps a history looks at.
        let now = clockNanoseconds()
        if now &- trimmed >= (pool.owesTrim ? 1_000_000_000 : 10_000_000_000) {
            trimmed = now
            pool.hastenTrim()
        }
        if retire() { return }
        guard membership.refresh(.moment) else { return }
        rebuild()
        retire()
    }
}

extension ipn_options {
    /// Each sender's slot pool on a network with these.
    var poolLayout: PoolLayout {
        // What may be pending, kept, retired late and pinned at the same time; more pins than that, all used at once,
        // make a LOSSY writer drop its own message.
        let pins = Int(IPN_PINS) * min(Int(node_limit), 64)
        return PoolLayout(mtu: Int(mtu), slots: pendingLimit + Int(history) + pins + 32)
    }
}
