import CIPN
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

/// Who reads what this node sends, and who else sends.
extension Outbox {
    /// Takes the roster up to now; a LOSSY writer goes on without where the keeper does not answer at once.
    @discardableResult
    mutating func refresh() -> Bool {
        guard membership.refresh(isLossless ? .untilAnswered : .none) else { return false }
        // Who joined in a keeper's last moment, unknown to us, is back from it in a moment: what is sent now is for it too.
        if isLossless { Self.awaitReturns(membership, isLossless: true) }
        rebuild()
        return true
    }

    /// Waits for those who were connected by a keeper before and have still to come back to this one, for a while. On a LOSSLESS
    /// network, where who is stopped holds all up anyway, it waits longer.
    static func awaitReturns(_ membership: Membership, isLossless: Bool) {
        let patience: UInt64 = isLossless ? 2_000_000_000 : 60_000_000
        while membership.isMissingSomebody(patience) {
            pause(microseconds: 500)
            guard membership.refresh(.untilAnswered) else { return }
        }
    }

    mutating func rebuild() {
        let (version, entries, mayBeShort) = membership.snapshot()
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
                            doorbell: peer.readerDoorbell, floor: isLossless ? checkedNext : 0))
            }
            if isLossless, entry.receives {
                receiving.append(OtherReader(nodeID: peer.nodeID, words: peer.words, joined: entry.joined))
            }
            // A queue from the keeper is counted by it.
            if isLossless, !entry.isKeeper, let index = entry.cursor {
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
        mayHaveUnknownReaders = mayBeShort
        rosterVersion = version
        hasWaited = false
    }
}
