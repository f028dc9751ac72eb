import CIPN
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

/// Room on a LOSSLESS network: fewer messages pending, over all writers, than its pool has.
extension Outbox {
    /// Whether fewer messages are pending in the whole network than its pool has.
    @inline(__always)
    mutating func hasRoom() -> Bool {
        if others.isEmpty && !isRouted {
            if pool.next &- slowestKnown < limit { return true }
            slowestKnown = pool.slowest(readers)
            return pool.next &- slowestKnown < limit
        }
        return pendingInNetwork(looking: false) < limit || pendingInNetwork(looking: true) < limit
    }

    /// - Parameter looking: fetch every reader's cursor; otherwise an upper bound by what is known of them.
    mutating func pendingInNetwork(looking: Bool) -> UInt64 {
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
                // We are one of its readers where we receive at all; but what is routed goes through queues.
                if receives && !isRouted && !wakers.isReceivingOver {
                    slowest = min(slowest, tail(of: others[index], region: own) ?? others[index].ownStart)
                }
                others[index].slowestKnown = slowest
            }
            // A head behind what was read is a lie, and counts nothing.
            if head > others[index].slowestKnown { pending &+= head &- others[index].slowestKnown }
        }
        // Behind the tails: the keeper counts a message there before it moves on.
        return isRouted ? pending &+ page.pending.loadAcquiring() : pending
    }

    func tail(of writer: OtherWriter, region: NodeRegion) -> UInt64? {
        let cursor = region.cursor(writer.cursor)
        return cursor.generation.loadAcquiring() == writer.nodeID ? cursor.tail.loadAcquiring() : nil
    }

    /// Whether a send would not wait: it finds room, or is told at once that it may send no more. Where it would, the handle is
    /// struck as soon as there is room.
    mutating func isWritable() -> Bool {
        if !isLossless || wakers.isSendingOver || wakers.isNetworkOver { return true }
        if page.rosterVersion.load() != rosterVersion { refresh() }
        do throws(Errno) {
            if !hasRoom() { try waitForRoom(deadline: 0) }
            return true
        } catch {
            return false
        }
    }

    /// Sleeps until there is room.
    mutating func waitForRoom(deadline: UInt64) throws(Errno) {
        if spinForRoom() { return }
        // Who does not wait here may poll the handle for room.
        let polls = deadline == 0 && isPolled
        if polls { wakers.silenceSending() }
        defer { if !polls { own.waiting.storeReleasing(waits) } }
        if deadline > 0, others.isEmpty, !isRouted, try waitForQuarter(deadline: deadline) { return }
        own.wanted.store(0)
        while true {
            waits &+= UInt64(IPN_SLEEP_STEP)
            own.waiting.storeReleasing(waits | UInt64(polls ? IPN_ASLEEP | IPN_POLLS : IPN_ASLEEP))
            step("room: waiting, not looked again")
            // FENCE wait: `waiting` before the second look; pairs with FENCE room in Inbox.advance.
            fullFence()
            if page.rosterVersion.load() != rosterVersion { refresh() }
            if hasRoom() { return }
            if wakers.isSendingOver || wakers.isNetworkOver { throw Errno.brokenPipe }
            guard let milliseconds = Deadline.milliseconds(until: deadline), deadline > 0 else {
                throw Errno.resourceTemporarilyUnavailable
            }
            try sleep(milliseconds)
        }
    }

    /// Sleeps until all have read a quarter of what the pool holds, but for a millisecond or two at the most: a reader may
    /// want something else of us before it reads on. Else each of many busy readers would wake us for each message,
    /// to find that the others have not read it yet.
    /// - Returns: whether there is room.
    private mutating func waitForQuarter(deadline: UInt64) throws(Errno) -> Bool {
        let wanted = pool.slowest(readers) &+ max(1, limit / 4)
        own.wanted.store(wanted)
        waits &+= UInt64(IPN_SLEEP_STEP)
        own.waiting.storeReleasing(waits | UInt64(IPN_ASLEEP))
        step("room: waiting for a quarter, not looked again")
        // FENCE wait, as below. One number for the whole sleep: each reader rings once, and the last to come there ends it.
        fullFence()
        let end = min(deadline, clockNanoseconds() &+ 1_000_000)
        while page.rosterVersion.load() == rosterVersion, !wakers.isSendingOver, !wakers.isNetworkOver {
            slowestKnown = pool.slowest(readers)
            guard slowestKnown < wanted, let milliseconds = Deadline.milliseconds(until: end) else { break }
            try sleep(milliseconds)
        }
        return page.rosterVersion.load() == rosterVersion && hasRoom()
    }

    /// - Throws: `EINTR`, also where a signal handler has sent meanwhile: nothing is as it was then.
    private func sleep(_ milliseconds: CInt) throws(Errno) {
        let overtaken = wakers.overtaken
        try Bell.sleep(wakers.writerBell, ears: membership.senderEars, milliseconds: milliseconds)
        guard wakers.overtaken == overtaken else { throw Errno.interrupted }
    }

    /// A busy reader makes room sooner than a sleep would take.
    ///
    /// Each look takes the line of the cursor from the reader, who then waits for it with its next message: so the looks
    /// are far between, and with few of them there is room for several messages at once.
    mutating func spinForRoom() -> Bool {
        for _ in 0..<5 {
            for _ in 0..<8 {
                for _ in 0..<8 { spinPause() }
                if hasRoom() { return true }
            }
            // The reader may wait for just this processor.
            guard courtesy.yield() else { break }
        }
        return hasRoom()
    }
}
