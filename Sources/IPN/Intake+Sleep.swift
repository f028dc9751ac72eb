import CLinux
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

/// The sleep where there is nothing, and the handle that says so to those who poll.
extension Intake {
    /// Nanoseconds: some ten times what it takes to fall asleep and wake up.
    private static let shortSleep: UInt64 = 100_000
    /// Pauses before the first look; a quarter of a microsecond.
    private static let longestLead = 15

    /// Waits until there may be something.
    /// - Returns: false when the time is over.
    mutating func sleep(deadline: UInt64) throws(Errno) -> Bool {
        if isLossless && inbox.hasGivenUp() { ringWaiting() }
        if inbox.isReadable() && !inbox.canTake() { throw Errno(rawValue: ENOBUFS) }
        if isOver { throw Errno(rawValue: ESHUTDOWN) }
        if isOwedRoster { try membership.checkDescriptors() }
        if wakers.isNetworkOver && !inbox.isReadable() { throw Errno.connectionReset }
        if hasDeparted { settleDeparted() }
        if spin > 0 && deadline > 0 && spinForMessage() { return true }
        guard deadline > 0, let milliseconds = Deadline.milliseconds(until: deadline) else {
            if isPolled { tellPollers() }
            return isStruck && (inbox.isReadable() || hasNews)
        }
        // Whoever writes may wait for just this processor, and would have to ring us for each message.
        if isBusy && courtesy.yield() && inbox.isReadable() { return true }
        isArmedForPollers = false
        inbox.arm(polling: false)
        step("sleep: armed, not looked again")
        if inbox.isReadable() || hasNews || isOver || wakers.isNetworkOver {
            inbox.disarm()
            return true
        }
        hasSlept = true
        let fellAsleep = clockNanoseconds()
        defer { isBusy = clockNanoseconds() &- fellAsleep < Self.shortSleep }
        let overtaken = wakers.overtaken
        do throws(Errno) {
            // A newcomer's message rings, but can be taken only when the keeper has told of the newcomer, which does not ring.
            let slice = isOwedRoster ? min(UInt32(bitPattern: milliseconds), 10) : UInt32(bitPattern: milliseconds)
            try Bell.sleep(wakers.readerBell, ears: membership.receiverEars, milliseconds: CInt(bitPattern: slice))
        } catch {
            guard wakers.overtaken == overtaken else { throw error }
            inbox.disarm()
            // The caller may poll next.
            if isPolled { tellPollers() }
            throw error
        }
        // Nothing of this sleep holds any more, nor what is known of others.
        guard wakers.overtaken == overtaken else { throw Errno(rawValue: ECANCELED) }
        inbox.disarm()
        try checkBell()
        return true
    }

    /// Who is woken for nothing again and again may have lost its bell: a program that closes descriptors it did not open, and opens
    /// others, would have us write to those.
    /// - Throws: `EBADF` where the number is something else's.
    private mutating func checkBell() throws(Errno) {
        guard !inbox.isReadable() && !hasNews else { return fruitless = 0 }
        fruitless += 1
        guard fruitless == 8 else { return }
        fruitless = 0
        guard case .eventCounter = HandedKind(of: wakers.readerBell) else { throw Errno.badFileDescriptor }
    }

    /// Makes the handle say what is there: readable where something is, silent and armed where nothing is.
    /// - Parameter surely: silent in any case, also after a wait in a call.
    mutating func tellPollers(surely: Bool = false) {
        if !inbox.isReadable() && !hasOutOfBand {
            if isStruck || !hasSlept || surely {
                wakers.silenceReceiving(own)
                isStruck = false
            }
            hasSlept = false
            isArmedForPollers = true
            inbox.arm(polling: true)
            if page.rosterVersion.load() != rosterVersion { synchronize() }
            guard inbox.isReadable() || hasOutOfBand || isOver || wakers.isNetworkOver else { return }
        } else if surely && !Handle.takesStroke(wakers.clapper) {
            // Strokes of what is not read fill the socket, and what comes next would be no edge.
            wakers.silenceReceiving(own)
        } else if isStruck || isArmedForPollers {
            return
        }
        Handle.strike(wakers.clapper, wakers.key | Handle.data)
        isStruck = true
    }

    /// See `Node.arrivals`.
    mutating func arrivals() -> UInt64 {
        if page.rosterVersion.load() != rosterVersion { synchronize() }
        if inbox.isReadable() || hasOutOfBand {
            // Strokes of what is not read would fill the socket, and the next be no edge.
            wakers.silenceReceiving(own)
            isStruck = false
            isArmedForPollers = true
            inbox.arm(polling: true)
        } else if !isArmedForPollers {
            tellPollers()
        }
        return inbox.arrivals() &+ news.count &+ (toldCounts == nil ? 0 : page.counts.loadAcquiring())
    }

    /// Nothing will ever come again: data were shut down, and news nobody wants.
    private var isOver: Bool { (toldCounts == nil || wakers.isLeaving) && wakers.isReceivingOver }

    var hasOutOfBand: Bool { news.isThere || (toldCounts.map { $0 != page.counts.loadAcquiring() } ?? false) }

    private var hasNews: Bool {
        page.rosterVersion.load() != rosterVersion && !isOwedRoster || hasOutOfBand
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
}
