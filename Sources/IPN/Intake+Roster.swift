import CIPN
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

/// Who is there: whose messages are received, and from which on.
extension Intake {
    /// Takes the roster up to now: newcomers are adopted, who is gone is let go. What they have sent waits for us, so that a keeper
    /// that is stopped needs not hold us up, but once: until it answers again.
    mutating func synchronize() {
        isOwedRoster = !membership.refresh(isOwedRoster ? .secondOnceAnswered : .second)
        if isOwedRoster { return }
        var (version, entries, _) = membership.snapshot()
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
                // Of one whose pool does not hold together, as if all were read that it may ever send: see WriterView.abandon.
                if let index = entry.cursor, !entry.hasDeparted, isLossless, !membership.isRouted,
                    (try? region.memory.commit(NodeRegion.cursorRange(index))) != nil
                {
                    WriterView.adopt(nodeID, at: .max, cursor: own.cursor(index))
                }
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
    mutating func settleDeparted() {
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
