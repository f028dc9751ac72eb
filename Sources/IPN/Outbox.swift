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
    private var pool: PoolWriter
    private let memory: SharedMemory
    private let cursor: Int
    private let own: NodeRegion
    private let bell: CInt
    private let membership: Membership
    private let page: NetworkPage
    private let isLossless: Bool
    private let limit: UInt64
    private let history: UInt64

    private var readers: UnsafeMutableBufferPointer<ReaderView>
    private var others: UnsafeMutableBufferPointer<OtherWriter>
    /// Keeps what `readers` and `others` point to.
    private var peers: [Peer] = []
    private var receivers: [OtherReader] = []
    /// Whether this node reads what the others send: then it counts like every other reader.
    var receives: Bool
    private var rosterVersion: UInt64 = 0
    /// `pool.next` when the roster was last seen unchanged: a newcomer wants nothing older.
    private var checkedNext: UInt64 = 0
    /// No reader was behind this when last looked at; tails only grow.
    private var slowestKnown: UInt64 = 0
    private var waits: UInt64 = 0
    private var dropped: UInt64 = 0
    /// For the answer of the keeper that is due.
    private var hasWaited = false

    /// Another writer, as far as its pending messages count.
    private struct OtherWriter {
        let nodeID: UInt64
        let head: SharedWord
        let cursor: Int
        let began: Int
        /// Where we begin to receive it ourselves.
        let ownStart: UInt64
        var slowestKnown: UInt64 = 0
    }

    /// A reader, as far as it has still to read what other writers sent.
    private struct OtherReader {
        let nodeID: UInt64
        let words: NodeRegion
        let joined: Int
    }

    /// Makes the pool and announces it.
    /// - Parameter bell: the node's bell for room, which readers ring.
    static func open(
        membership: Membership, own: NodeRegion, nodeID: UInt64, bell: CInt, receives: Bool
    ) throws(Errno) -> Outbox {
        let options = membership.options
        // What may be pending, kept, retired late and pinned at the same time; more pins than that, all used at once,
        // make a LOSSY writer drop its own message.
        let pins = Int(IPN_PINS) * min(Int(options.node_limit), 64)
        let layout = PoolLayout(mtu: Int(options.mtu), slots: Int(options.pool_size + options.history) + pins + 32)
        let memory = try SharedMemory(name: "ipn-pool", size: layout.size, sealedAgainstMapping: false)
        try memory.commit(0..<layout.classesOffset)
        let pool = PoolWriter(base: memory.mapping.base, layout: layout, region: own, nodeID: nodeID)
        let handle = try memory.readOnlyDescriptor()
        let cursor = Int(try membership.call(ipn_request(IPN_OP_POOL), descriptors: [handle.raw]).value)
        _ = membership.refresh(.untilAnswered)
        return Outbox(membership: membership, own: own, bell: bell, memory: memory, pool: pool, cursor: cursor, receives: receives)
    }

    private init(
        membership: Membership, own: NodeRegion, bell: CInt, memory: consuming SharedMemory, pool: consuming PoolWriter,
        cursor: Int, receives: Bool
    ) {
        let options = membership.options
        isLossless = options.flags & UInt32(IPN_FLAG_LOSSLESS) != 0
        limit = UInt64(options.pool_size)
        history = UInt64(options.history)
        self.membership = membership
        page = membership.page
        self.own = own
        self.bell = bell
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
    /// - Parameter deadline: CLOCK_MONOTONIC nanoseconds until which to wait for room (LOSSLESS); 0 not at all.
    /// - Returns: nil where a LOSSY network has no slot left: the message is lost to all, and counted.
    /// - Throws: `EAGAIN` without room in time, `EINTR`, `ENOBUFS` without memory.
    @inline(__always)
    mutating func lend(_ length: Int, deadline: UInt64) throws(Errno) -> SlotNumber? {
        if isLossless {
            // What others have pending counts from their first message on.
            if page.rosterVersion.load() != rosterVersion { refresh() }
            if !hasRoom() { try waitForRoom(deadline: deadline) }
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
        return slot
    }

    @inline(__always)
    func payload(_ slot: SlotNumber) -> UnsafeMutableRawPointer { pool.view.payload(slot) }

    /// Publishes a filled slot, and rings whoever sleeps.
    @inline(__always)
    mutating func publish(_ slot: SlotNumber, length: Int, tag: UInt64) {
        // Time stamps are for finding the oldest of several writers' messages; where none is dropped, the clock's
        // 25 ns are better saved.
        pool.publish(slot, length: length, time: isLossless ? 0 : clockNanoseconds(), tag: tag)
        // After the fence in publish: whoever joined before it is in this version, whoever joins later starts behind.
        if page.rosterVersion.load() == rosterVersion || refresh() { checkedNext = pool.next }
        for index in readers.indices {
            let armed = readers[index].armed.load()
            if armed & 1 != 0 && armed != readers[index].rungSleep {
                readers[index].rungSleep = armed
                Bell.ring(readers[index].bell)
            }
        }
    }

    mutating func cancel(_ slot: SlotNumber) { pool.cancel(slot) }

    /// Pays for a slot's memory before it is touched: exhausted memory is an error here, never a signal.
    private mutating func commit(
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

    private mutating func retire() {
        // Nothing is taken back before the roster is known: a newcomer may hold it.
        guard page.rosterVersion.load() == rosterVersion || refresh() else { return }
        pool.retire(limit: isLossless ? nil : limit, history: history, readers: readers)
    }

    // MARK: Room on a LOSSLESS network

    /// Whether fewer messages are pending in the whole network than its pool has.
    @inline(__always)
    mutating func hasRoom() -> Bool {
        if others.isEmpty {
            if pool.next &- slowestKnown < limit { return true }
            slowestKnown = pool.slowest(readers)
            return pool.next &- slowestKnown < limit
        }
        return pendingInNetwork(looking: false) < limit || pendingInNetwork(looking: true) < limit
    }

    /// - Parameter looking: fetch every reader's cursor; otherwise an upper bound by what is known of them.
    private mutating func pendingInNetwork(looking: Bool) -> UInt64 {
        if looking { slowestKnown = pool.slowest(readers) }
        var pending = pool.next &- slowestKnown
        for index in others.indices {
            let head = others[index].head.loadAcquiring()
            if looking {
                var slowest = head
                for reader in receivers where reader.nodeID != others[index].nodeID {
                    if let tail = tail(of: others[index], region: reader.words) {
                        slowest = min(slowest, tail)
                    } else if reader.joined < others[index].began {
                        // It has not looked since that writer began, and will start at its first message.
                        slowest = 0
                    }
                }
                // We are one of its readers where we receive at all.
                if receives { slowest = min(slowest, tail(of: others[index], region: own) ?? others[index].ownStart) }
                others[index].slowestKnown = slowest
            }
            // A head behind what was read is a lie, and counts nothing.
            if head > others[index].slowestKnown { pending &+= head &- others[index].slowestKnown }
        }
        return pending
    }

    private func tail(of writer: OtherWriter, region: NodeRegion) -> UInt64? {
        let cursor = region.cursor(writer.cursor)
        return cursor.generation.loadAcquiring() == writer.nodeID ? cursor.tail.loadAcquiring() : nil
    }

    /// Sleeps until there is room.
    private mutating func waitForRoom(deadline: UInt64) throws(Errno) {
        if spinForRoom() { return }
        defer { own.waiting.storeReleasing(waits) }
        while true {
            Bell.silence(bell)
            let wakers = membership.senderWakers
            if wakers.ears >= 0 { Ears.silence(wakers.ears) }
            waits &+= 2
            own.waiting.storeReleasing(waits | 1)
            // FENCE wait: `waiting` before the second look; pairs with FENCE room in Inbox.advance.
            fullFence()
            if page.rosterVersion.load() != rosterVersion { refresh() }
            if hasRoom() { return }
            guard deadline > 0 else { throw Errno.resourceTemporarilyUnavailable }
            guard let milliseconds = Deadline.milliseconds(until: deadline) else {
                throw Errno.resourceTemporarilyUnavailable
            }
            _ = try waitReadable(bell, wakers.keeper, wakers.ears, milliseconds: milliseconds)
            // A keeper that has hung up would end every further wait at once.
            membership.listen()
        }
    }

    /// A busy reader makes room sooner than a sleep would take.
    private mutating func spinForRoom() -> Bool {
        for _ in 0..<5 {
            for _ in 0..<64 {
                spinPause()
                if hasRoom() { return true }
            }
            // The reader may wait for just this processor.
            sched_yield()
        }
        return hasRoom()
    }

    // MARK: Who is there

    /// Takes the roster up to now; a LOSSY writer goes on without where the keeper does not answer at once.
    @discardableResult
    private mutating func refresh() -> Bool {
        guard membership.refresh(isLossless ? .untilAnswered : .none) else { return false }
        rebuild()
        return true
    }

    private mutating func rebuild() {
        let (version, entries) = membership.snapshot()
        var known: [UInt64: ReaderView] = [:]
        for reader in readers { known[reader.nodeID] = reader }
        var views: [ReaderView] = []
        var writers: [OtherWriter] = []
        var receiving: [OtherReader] = []
        for entry in entries.values {
            let peer = entry.peer
            if entry.receives {
                views.append(
                    known[peer.nodeID]
                        ?? ReaderView(
                            nodeID: peer.nodeID, cursor: peer.words.cursor(cursor), armed: peer.words.armed,
                            bell: peer.readerBell.number, floor: checkedNext))
            }
            if isLossless, entry.receives {
                receiving.append(OtherReader(nodeID: peer.nodeID, words: peer.words, joined: entry.joined))
            }
            if isLossless, let index = entry.cursor {
                writers.append(OtherWriter(nodeID: peer.nodeID, head: peer.words.head, cursor: index, began: entry.began, ownStart: entry.start))
            }
        }
        readers.deallocate()
        others.deallocate()
        readers = .allocate(capacity: views.count)
        _ = readers.initialize(from: views)
        others = .allocate(capacity: writers.count)
        _ = others.initialize(from: writers)
        peers = entries.values.map(\.peer)
        receivers = receiving
        // A newcomer may be behind what we knew of the others.
        slowestKnown = min(slowestKnown, pool.slowest(readers))
        rosterVersion = version
        hasWaited = false
    }
}
