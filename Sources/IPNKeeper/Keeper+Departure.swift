import CIPN
import IPNRing
import IPNSystem

extension Keeper {
    /// A node leaves, or is dead. Its pool stays until all who were connected have read what it sent, so that a
    /// message arrives from a process that is gone.
    func depart(_ node: ConnectedNode) {
        if let router { return departRouted(router, node) }
        if node.port >= 0 { usedPorts.remove(node.port) }
        forgetDebts(to: node.nodeID)
        guard nodes[node.nodeID] === node else {
            strike(node)
            return announceCounts()
        }
        node.receives = false
        node.sends = false
        node.hasDeparted = true
        note(node)
        step("keeper: departure on the roll, not announced")
        forgetBells(of: node.userID)
        if node.pool != nil, mayStay(node) { node.owed = receivers }
        if node.owed.isEmpty {
            forget(node)
        } else {
            roster.record(IPN_EVENT_DEPART, node.nodeID)
        }
        announceRoster(lost: true)
        announceCounts()
    }

    /// Gives back what a user's nodes rang others by, and were rung by, some time after the last of them has left: most come again.
    private func forgetBells(of user: uid_t) {
        let others = Array(nodes.values) + Array(returning.values)
        let present = Set(others.lazy.filter { !$0.hasDeparted }.map(\.userID))
        departedUsers.removeAll { $0 == user || present.contains($0) }
        if !present.contains(user) { departedUsers.append(user) }
        guard departedUsers.count > Self.rememberedUsers else { return }
        let forgotten = departedUsers.removeFirst()
        for other in others { other.forgetBells(of: forgotten) }
    }

    private static var rememberedUsers: Int { 8 }

    /// A reader has read all that a departed writer sent.
    func drained(_ writer: UInt64, by reader: UInt64) {
        if let absentee = absentees[writer], absentee.hasDeparted {
            absentee.owed.remove(reader)
            if absentee.owed.isEmpty { forget(absentee) }
            return announceRoster()
        }
        guard let node = nodes[writer], node.hasDeparted else { return }
        node.owed.remove(reader)
        guard node.owed.isEmpty else { return }
        forget(node)
        announceRoster()
    }

    /// What departed writers owe a ghost they owe its successor, too.
    func handOnDebts(to reader: UInt64, _ successor: UInt64) {
        for node in nodes.values where node.owed.contains(reader) { node.owed.insert(successor) }
    }

    /// Nothing is owed any more to a reader that left or shut down.
    func forgetDebts(to reader: UInt64) {
        var settled: [ConnectedNode] = []
        for node in nodes.values where node.owed.remove(reader) != nil && node.owed.isEmpty { settled.append(node) }
        for node in settled { forget(node) }
        let drained = absentees.values.filter { $0.owed.remove(reader) != nil && $0.owed.isEmpty }
        for absentee in drained { forget(absentee) }
        if !settled.isEmpty || !drained.isEmpty { announceRoster() }
    }

    private func forget(_ node: ConnectedNode) {
        nodes[node.nodeID] = nil
        if let cursor = node.cursor { usedCursors.remove(cursor) }
        strike(node)
        step("keeper: struck out, not announced")
        roster.record(IPN_EVENT_GONE, node.nodeID)
    }
}
