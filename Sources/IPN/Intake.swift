import CIPN
import CLinux
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

/// The receiving side of a node: every writer's stream, and the sleep where there is nothing.
///
/// RT safe in the steady state, as `Outbox` is.
struct Intake: ~Copyable {
    private var inbox: Inbox
    private let region: OwnRegion
    private let own: NodeRegion
    private let wakers: NodeWakers
    private let membership: Membership
    private let page: NetworkPage
    private let isLossless: Bool
    /// Begin with what writers kept, not with the first message after our join.
    private let wantsHistory: Bool
    /// Keeps what the inbox points to.
    private var pools: [UInt64: (peer: Peer, pool: PeerPool)] = [:]
    private var rosterVersion: UInt64 = 0
    private var hasDeparted = false
    /// Nanoseconds to look for a message before going to sleep.
    var spin: UInt64 = 0
    /// The `counts` word that was last told; nil where nobody wants to be told.
    var toldCounts: UInt64?
    /// Pauses before the first look, where messages come fast; a quarter of a microsecond at most.
    private var lead = 0
    private static let longestLead = 15
    /// What a policy tells.
    var news = PolicyNews()

    /// Whether a program may poll the handle. It is then readable outside of our calls if, and only if, something is
    /// there; but it may be readable for nothing after waits in calls, where a look would cost each a system call.
    var isPolled = false
    /// Writers strike the handle for the next message.
    private var isArmedForPollers = false
    /// It was struck by ourselves, and is readable.
    private var isStruck = false
    /// The last wait was in a call of ours.
    private var hasSlept = false
    /// The last sleep was short: messages follow each other closely.
    private var isBusy = false
    /// Nanoseconds: some ten times what it takes to fall asleep and wake up.
    private static let shortSleep: UInt64 = 100_000

    init(membership: Membership, region: OwnRegion, wakers: NodeWakers, limit: Int, wantsHistory: Bool) {
        isLossless = membership.options.flags & UInt32(IPN_FLAG_LOSSLESS) != 0
        own = region.words
        inbox = Inbox(own: own, overwrites: !isLossless, limit: UInt64(limit))
        self.region = region
        self.wakers = wakers
        self.membership = membership
        page = membership.page
        self.wantsHistory = wantsHistory
        synchronize()
    }

    // MARK: One message

    /// The next thing to be told, out of band first. A message stays pinned until `finish`.
    ///
    /// - Parameter timeout: how long to wait; nil for as long as it takes. The clock is looked at only where nothing is there.
    /// - Returns: nil where nothing came in time.
    /// - Throws: `EINTR`; `ENOBUFS` where all pins of a writer are used by messages that are held.
    @inline(__always)
    mutating func next(timeout: Duration?) throws(Errno) -> ArrivedMessage? {
        var deadline: UInt64?
        while true {
            if let toldCounts {
                let counts = page.counts.loadAcquiring()
                if counts != toldCounts {
                    self.toldCounts = counts
                    return ArrivedMessage(NodeCounts(packed: counts))
                }
            }
            if page.rosterVersion.load() != rosterVersion { synchronize() }
            if news.isThere && news.fetch(from: membership) { return news.message }
            if let (writer, delivery) = inbox.take() { return ArrivedMessage(writer: writer, delivery: delivery) }
            let end = deadline ?? Deadline.after(timeout)
            deadline = end
            guard try sleep(deadline: end) else { return nil }
        }
    }

    /// Moves on behind a message, and rings writers that wait for room.
    @inline(__always)
    mutating func finish(_ message: borrowing ArrivedMessage, keepPin: Bool) {
        step("receive: taken, cursor not moved")
        inbox.advance(Int(message.writer), past: message.delivery, keepPin: keepPin)
        step("receive: cursor moved, waiting writers not rung")
        if isLossless { ringWaiting() }
        if isPolled { tellPollers() }
    }

    /// Leaves what `next` gave where it was, to be given again.
    mutating func putBack(_ message: ArrivedMessage) {
        switch message.origin {
        case .writer: inbox.putBack(Int(message.writer), message.delivery)
        case .bus: toldCounts = 0
        case .policy: news.putBack()
        }
        if isPolled { tellPollers() }
    }

    /// What a poll of the node would say: data, news. One look, no system call.
    mutating func readiness() -> (data: Bool, news: Bool) {
        if page.rosterVersion.load() != rosterVersion { synchronize() }
        return (inbox.isReadable(), hasOutOfBand)
    }

    /// Messages that wait to be received.
    mutating func pending() -> Int {
        if page.rosterVersion.load() != rosterVersion { synchronize() }
        return Int(clamping: inbox.pending())
    }

    /// See `Node.seek`.
    mutating func seek(to sequence: UInt64, of sender: UInt64) -> Bool {
        guard inbox.seek(to: sequence, of: sender) else { return false }
        if isLossless {
            fullFence()
            ringWaiting()
        }
        if isPolled { tellPollers() }
        return true
    }

    /// Gives back a message that was kept.
    mutating func release(_ delivery: Delivery) {
        inbox.release(delivery)
    }

    /// The memory that a delivery lies in, to be kept as long as it is.
    func memory(of delivery: Delivery) -> AnyObject? { pools[delivery.nodeID]?.pool }

    @inline(__always)
    private func ringWaiting() {
        for index in inbox.writers.indices {
            // SYNC wanted: what goes with this sleep, or a later one.
            let waiting = inbox.writers[index].region.waiting.loadAcquiring()
            if waiting & UInt64(IPN_ASLEEP) != 0 && waiting != inbox.writers[index].rungWait && inbox.writers[index].hasReadWanted {
                inbox.writers[index].rungWait = waiting
                inbox.writers[index].doorbell.ring(waiting)
            }
        }
    }

    // MARK: Sleep

    /// Waits until there may be something.
    /// - Returns: false when the time is over.
    private mutating func sleep(deadline: UInt64) throws(Errno) -> Bool {
        if inbox.isReadable() && !inbox.canTake() { throw Errno(rawValue: ENOBUFS) }
        if isOver { throw Errno(rawValue: ESHUTDOWN) }
        if wakers.isNetworkOver && !inbox.isReadable() { throw Errno.connectionReset }
        if hasDeparted { settleDeparted() }
        if spin > 0 && deadline > 0 && spinForMessage() { return true }
        guard deadline > 0, let milliseconds = Deadline.milliseconds(until: deadline) else {
            if isPolled { tellPollers() }
            return isStruck && (inbox.isReadable() || hasNews)
        }
        if isBusy {
            // Whoever writes may wait for just this processor, and would have to ring us for each message.
            sched_yield()
            if inbox.isReadable() { return true }
        }
        isArmedForPollers = false
        inbox.arm(polling: false)
        step("sleep: armed, not looked again")
        defer { inbox.disarm() }
        if inbox.isReadable() || hasNews || isOver || wakers.isNetworkOver { return true }
        hasSlept = true
        let fellAsleep = clockNanoseconds()
        defer { isBusy = clockNanoseconds() &- fellAsleep < Self.shortSleep }
        do throws(Errno) {
            try Bell.sleep(wakers.readerBell, ears: membership.receiverEars, milliseconds: milliseconds)
        } catch {
            // The caller may poll next.
            if isPolled { tellPollers() }
            throw error
        }
        return true
    }

    /// Makes the handle say what is there: readable where something is, silent and armed where nothing is.
    /// - Parameter surely: silent in any case, also after a wait in a call.
    mutating func tellPollers(surely: Bool = false) {
        if !inbox.isReadable() && !hasOutOfBand {
            if isStruck || !hasSlept || surely {
                Handle.silence(wakers.handle)
                isStruck = false
            }
            hasSlept = false
            isArmedForPollers = true
            inbox.arm(polling: true)
            if page.rosterVersion.load() != rosterVersion { synchronize() }
            guard inbox.isReadable() || hasOutOfBand || isOver || wakers.isNetworkOver else { return }
        } else if isStruck || isArmedForPollers {
            return
        }
        Handle.strike(wakers.clapper, wakers.key)
        isStruck = true
    }

    /// Nothing will ever come again: data were shut down, and news nobody wants.
    private var isOver: Bool { toldCounts == nil && wakers.isReceivingOver }

    private var hasOutOfBand: Bool { news.isThere || (toldCounts.map { $0 != page.counts.loadAcquiring() } ?? false) }

    private var hasNews: Bool {
        page.rosterVersion.load() != rosterVersion || hasOutOfBand
    }

    private mutating func spinForMessage() -> Bool {
        // Where messages follow each other so fast that we would meet each one as it is published, both sides would pay for a
        // line that goes to and fro: then we first stay away for a moment, and take several at once.
        for _ in 0..<lead { spinPause() }
        if lead > 0 && inbox.isReadable() { return true }
        lead /= 2
        var rounds = 0
        let end = clockNanoseconds() &+ spin
        while true {
            // Each look takes the line of `head` from the writer, who then pays for it: look less and less often.
            var pauses = 1
            for look in 0..<32 {
                if inbox.isReadable() || hasNews {
                    if rounds == 0 && look < 4 { lead = min(lead * 2 + 1, Self.longestLead) }
                    return true
                }
                for _ in 0..<pauses { spinPause() }
                pauses = min(pauses * 2, 8)
            }
            rounds += 1
            linux_give_way_to_fork()
            if clockNanoseconds() > end { return false }
            // Where there are more spinners than processors, the writer may wait for just this one: every 10 to 20 us.
            if rounds % 2 == 0 { sched_yield() }
        }
    }

    // MARK: Who is there

    /// Takes the roster up to now: newcomers are adopted, who is gone is let go.
    mutating func synchronize() {
        guard membership.refresh(.untilAnswered) else { return }
        var (version, entries) = membership.snapshot()
        rosterVersion = version
        // Shut down, also by another thread: what is pending is flushed.
        if wakers.isReceivingOver { entries = [:] }
        var views: [WriterView] = []
        var kept: [UInt64: (peer: Peer, pool: PeerPool)] = [:]
        hasDeparted = false
        var unheard: [UInt64] = []
        var existing: [UInt64: WriterView] = [:]
        for view in inbox.writers { existing[view.nodeID] = view }
        for (nodeID, entry) in entries {
            if entry.isKeeper && !entry.receives { news.listen(to: entry.peer.words.news) }
            guard let pool = entry.pool, let index = entry.cursor else {
                // Died with a keeper that had not yet told us what it sends: nothing of it will ever come.
                if entry.hasDeparted && !entry.isKeeper { unheard.append(nodeID) }
                continue
            }
            if existing[nodeID] == nil {
                // A cursor that cannot be paid for means that this writer is not heard; the next roster tries again.
                guard (try? region.memory.commit(NodeRegion.cursorRange(index))) != nil else { continue }
            }
            var view =
                existing[nodeID]
                ?? adopt(entry, pool: pool, cursor: own.cursor(index))
            view.hasDeparted = entry.hasDeparted
            hasDeparted = hasDeparted || entry.hasDeparted
            views.append(view)
            kept[nodeID] = (entry.peer, pool)
        }
        inbox.replace(views)
        pools = kept
        for nodeID in unheard { membership.settle(nodeID) }
        if hasDeparted { settleDeparted() }
        if isLossless {
            fullFence()
            ringWaiting()
        }
    }

    private func adopt(_ entry: PeerTable.Entry, pool: PeerPool, cursor: Cursor) -> WriterView {
        let words = entry.peer.words
        var start = entry.start
        WriterView.adopt(entry.peer.nodeID, at: start, cursor: cursor)
        // What was sent before our join is nobody's promise: we take what is there, until our place holds it fast.
        while wantsHistory && entry.wasThere {
            let history = UInt64(membership.options.history)
            start = min(start, max(words.oldest.loadAcquiring(), start > history ? start - history : 0))
            WriterView.adopt(entry.peer.nodeID, at: start, cursor: cursor)
            // FENCE place: our place before the look at oldest; pairs with FENCE retire. A writer that has not seen our
            // place may have gone on.
            fullFence()
            if words.oldest.loadAcquiring() <= start || start == entry.start { break }
        }
        // A writer that began when we were away between two keepers, and waited for us no longer, may have gone on too. A LOSSY
        // one is looked at with each message.
        if isLossless { fullFence() }
        while isLossless && words.oldest.loadAcquiring() > start {
            start = words.oldest.loadAcquiring()
            WriterView.adopt(entry.peer.nodeID, at: start, cursor: cursor)
            fullFence()
        }
        return WriterView(
            nodeID: entry.peer.nodeID, region: words, pool: pool.view, cursor: cursor, tally: own.lost,
            doorbell: entry.peer.writerDoorbell, maximumLength: Int(membership.options.mtu))
    }

    /// Lets go of writers that have left and have nothing more for us.
    private mutating func settleDeparted() {
        var remaining: [WriterView] = []
        var settled: [UInt64] = []
        hasDeparted = false
        for index in inbox.writers.indices {
            if inbox.isSettled(index) {
                settled.append(inbox.writers[index].nodeID)
            } else {
                hasDeparted = hasDeparted || inbox.writers[index].hasDeparted
                remaining.append(inbox.writers[index])
            }
        }
        guard !settled.isEmpty else { return }
        inbox.replace(remaining)
        for nodeID in settled {
            pools[nodeID] = nil
            membership.settle(nodeID)
        }
    }
}
