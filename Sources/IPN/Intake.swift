import CIPN
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

/// The receiving side of a node: every writer's stream, and the sleep where there is nothing.
///
/// RT safe in the steady state, as `Outbox` is.
struct Intake: ~Copyable {
    var inbox: Inbox
    let region: OwnRegion
    let own: NodeRegion
    let wakers: NodeWakers
    let membership: Membership
    let page: NetworkPage
    let isLossless: Bool
    /// Begin with what writers kept, not with the first message after our join.
    let wantsHistory: Bool
    /// Messages that may be pending on a LOSSY network; the second while what writers kept is being read.
    private let limits: (usual: UInt64, replaying: UInt64)
    private var isReplaying = false
    /// Keeps what the inbox points to.
    var pools: [UInt64: (peer: Peer, pool: PeerPool)] = [:]
    var rosterVersion: UInt64 = 0
    /// The keeper has not said who is there, not for a second: it is stopped.
    var isOwedRoster = false
    var hasDeparted = false
    /// Nanoseconds to look for a message before going to sleep.
    var spin: UInt64 = 0
    /// The `counts` word that was last told; nil where nobody wants to be told.
    var toldCounts: UInt64?
    /// Pauses before the first look, where messages come fast; a quarter of a microsecond at most.
    var lead = 0
    /// What a policy tells.
    var news = PolicyNews()

    /// Whether a program may poll the handle. It is then readable outside of our calls if, and only if, something is
    /// there; but it may be readable for nothing after waits in calls, where a look would cost each a system call.
    var isPolled = false
    /// Writers strike the handle for the next message.
    var isArmedForPollers = false
    /// It was struck by ourselves, and is readable.
    var isStruck = false
    /// The last wait was in a call of ours.
    var hasSlept = false
    /// How often it was woken for nothing, one after the other.
    var fruitless = 0
    /// The last sleep was short: messages follow each other closely.
    var isBusy = false
    var courtesy = Courtesy()

    init(membership: Membership, region: OwnRegion, wakers: NodeWakers, limit: Int, replayLimit: Int, wantsHistory: Bool) {
        isLossless = membership.options.flags & UInt32(IPN_FLAG_LOSSLESS) != 0
        own = region.words
        limits = (UInt64(limit), UInt64(replayLimit))
        inbox = Inbox(own: own, overwrites: !isLossless, limit: UInt64(limit))
        self.region = region
        self.wakers = wakers
        self.membership = membership
        page = membership.page
        self.wantsHistory = wantsHistory
        synchronize()
        beginReplay()
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
        if isReplaying && inbox.pending() <= limits.usual { endReplay() }
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
        beginReplay()
        if isLossless {
            fullFence()
            ringWaiting()
        }
        if isPolled { tellPollers() }
        return true
    }

    /// What was kept and waits to be read again is more than may be pending else.
    private mutating func beginReplay() {
        guard !isLossless, inbox.pending() > 0 || isOwedRoster && wantsHistory else { return }
        inbox.limit = limits.replaying
        isReplaying = limits.replaying > limits.usual
    }

    private mutating func endReplay() {
        inbox.limit = limits.usual
        isReplaying = false
    }

    /// Gives back a message that was kept.
    mutating func release(_ delivery: Delivery) {
        inbox.release(delivery)
    }

    /// The memory that a delivery lies in, to be kept as long as it is.
    func memory(of delivery: Delivery) -> AnyObject? { pools[delivery.nodeID]?.pool }

    @inline(__always)
    func ringWaiting() {
        for index in inbox.writers.indices {
            // SYNC wanted: what goes with this sleep, or a later one.
            let waiting = inbox.writers[index].region.waiting.loadAcquiring()
            if waiting & UInt64(IPN_ASLEEP) != 0 && waiting != inbox.writers[index].rungWait && inbox.writers[index].hasReadWanted {
                inbox.writers[index].rungWait = waiting
                inbox.writers[index].doorbell.ring(waiting)
            }
        }
    }
}
