import CIPN

/// Who is on the network, as a log of changes: a node that knows version n asks for what came after it.
///
/// The log keeps what a newcomer needs (who is here) and lets the rest go once it is long; then everybody gets all of
/// it again, once, under another epoch.
struct Roster {
    struct Change {
        let version: UInt64
        let event: ipn_roster_event
        let nodeID: UInt64
    }

    private(set) var version: UInt64
    private var changes: [Change] = []
    /// Another number for each time that changes were dropped: who counts in an older epoch begins again.
    private(set) var epoch: UInt64

    /// - Parameter start: above all versions and epochs of keepers before.
    init(start: UInt64) {
        version = start
        epoch = start
    }

    mutating func record(_ event: ipn_roster_event, _ nodeID: UInt64) {
        version += 1
        changes.append(Change(version: version, event: event, nodeID: nodeID))
    }

    /// The changes after version `known` of `epoch`: all there are, for a known of another epoch.
    func changes(after known: UInt64, epoch: UInt64) -> ArraySlice<Change> {
        if epoch != self.epoch { return changes[...] }
        // Binary search: the log is in order of versions.
        var low = 0
        var high = changes.count
        while low < high {
            let middle = (low + high) / 2
            if changes[middle].version <= known { low = middle + 1 } else { high = middle }
        }
        return changes[low...]
    }

    /// Drops what concerns nodes that are gone, once that is most of the log.
    mutating func compact(living: (UInt64) -> Bool, count: Int) {
        guard changes.count > 1024 + 8 * count else { return }
        changes.removeAll { !living($0.nodeID) }
        epoch += 1
    }
}
