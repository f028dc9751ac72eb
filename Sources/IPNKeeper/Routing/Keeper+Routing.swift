import CIPN
import CLinux
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

/// What is different about a network with a policy of its own: who is asked about ports, what nodes are shown of each
/// other, and that a message goes through the keeper.
extension Keeper {
    /// Loads the policy that a network is made with.
    ///
    /// - Parameter wanted: its protocol becomes the policy's where it says so.
    /// - Throws: `EPROTONOSUPPORT` without an object or with one of another version; `EPROTO` where it registers another
    ///   protocol; `EPERM` from another user than the network's; what its newnet says.
    func makeRouter(_ wanted: inout ipn_options, _ member: Member, _ object: consuming HandedDescriptor?) throws(Errno) {
        guard let object else {
            throw Errno(rawValue: EPROTONOSUPPORT)
        }
        // What is loaded runs with our rights.
        guard member.peer.user == geteuid() || member.peer.user == 0 else { throw Errno.notPermitted }
        guard wanted.history == 0 else {
            throw refuse(.invalidArgument, "a routed network keeps no history: who joins later was no recipient")
        }
        // Before its first instruction runs, which may be in a constructor.
        linux_tell_crash(page.mapping.base.advanced(by: Int(IPN_NETWORK_ENDED)), rendezvous, marker.path.raw)
        let policy: Policy
        do throws(PolicyRefusal) {
            policy = try Policy(loading: object.raw)
        } catch {
            throw refuse(error.errno, error.text)
        }
        guard wanted.protocol == UInt32(IPN_PROTOCOL_OF_POLICY) || wanted.protocol == policy.table.protocol else {
            throw refuse(Errno(rawValue: EPROTO), "it registers protocol \(policy.table.protocol), not \(wanted.protocol)")
        }
        if let rival = PolicyFolder.rival(of: object.raw, for: Int(policy.table.protocol)) {
            throw refuse(Errno(rawValue: EADDRINUSE), "it registers protocol \(policy.table.protocol), which is taken, by \(rival)")
        }
        wanted.protocol = policy.table.protocol
        let made = try Router(policy: policy, options: wanted, page: NetworkPage(base: page.mapping.base), readerID: newNodeID())
        let result = made.enter { policy.table.newnet?($0) ?? 0 }
        guard result >= 0 else { throw refuse(Errno(ofPolicy: result), "the policy \(policy.name) refuses to make a network") }
        // Who takes it out of the folder where it is registered can see that it is used. See flock(2).
        _ = flock(object.raw, LOCK_SH | LOCK_NB)
        policyObject = consume object
        router = made
        roster.record(IPN_EVENT_JOIN, made.readerID)
    }

    private func refuse(_ errno: Errno, _ text: String) -> Errno {
        complaint = text
        return errno
    }

    // MARK: Ports

    /// The port that the policy gives to a node that would get `candidate`.
    func askForPort(_ router: Router, _ candidate: Int, _ member: Member, receives: Bool, sends: Bool) throws(Errno) -> Int {
        var record = nodeRecord(of: member, port: candidate)
        if receives { record.rights |= UInt32(IPN_POLICY_RECEIVES) }
        if sends { record.rights |= UInt32(IPN_POLICY_SENDS) }
        let port = router.enter { network in withUnsafePointer(to: &record) { router.policy.newport(network, $0) } }
        guard port >= 0 else { throw Errno(ofPolicy: port) }
        guard port < CInt(options.node_limit), !usedPorts.contains(Int(port)) else { throw Errno.addressNotAvailable }
        return Int(port)
    }

    /// Whoever takes another process's place on a routed network gets a way of its own: the old queue is its reader's
    /// alone, and what is in it goes with it.
    func giveUpClaim(_ member: Member) {
        guard let owner = member.claimed, owner.isGhost else { return }
        remove(owner)
        member.claimed = nil
    }

    /// Makes the way to and from a node that has been given its port.
    func openPort(_ router: Router, _ member: Member, _ node: ConnectedNode) throws(Errno) {
        let port = try Port(member, node, queueID: newNodeID(), options: options, capacity: router.capacity + router.poolSize)
        try poller.add(port.bell.ear.raw, token: member.token | Self.portBit)
        router.add(port)
        roster.record(IPN_EVENT_JOIN, port.queueID)
        if node.receives { roster.record(IPN_EVENT_POOL, port.queueID) }
    }

    /// Tells the policy that a node can be sent to.
    func announcePort(_ router: Router, _ member: Member) {
        let record = nodeRecord(of: member, port: member.node?.port ?? Int(IPN_PORTNO_ANY))
        router.enter { network in withUnsafePointer(to: record) { router.policy.table.postnewport?(network, $0) } }
    }

    /// Who asks, as a policy is told.
    func nodeRecord(of member: Member, port: Int) -> ipn_policy_node {
        var record = ipn_policy_node()
        record.size = UInt32(MemoryLayout<ipn_policy_node>.size)
        record.port = CInt(port)
        record.uid = member.peer.user
        record.pid = member.peer.processID
        if member.isBound { record.rights |= UInt32(IPN_POLICY_MANAGES) }
        if let node = member.node {
            if node.receives { record.rights |= UInt32(IPN_POLICY_RECEIVES) }
            if node.sends { record.rights |= UInt32(IPN_POLICY_SENDS) }
        }
        return record
    }

    /// A node leaves a routed network. Its port is free once all that it sent was handled.
    func departRouted(_ router: Router, _ node: ConnectedNode) {
        if let port = router.port(of: node) {
            poller.remove(port.bell.ear.raw)
            router.leave(port)
        }
        node.receives = false
        node.sends = false
        node.hasDeparted = true
        finishDepartures(router)
        announceCounts()
    }

    /// Handles messages, and lets go of ports that are done.
    /// - Returns: whether nothing is left to do but to wait.
    func route(_ router: Router) -> Bool {
        let mayRest = router.work()
        finishDepartures(router)
        return mayRest
    }

    private func finishDepartures(_ router: Router) {
        let finished = router.takeFinished()
        guard !finished.isEmpty else { return }
        for port in finished {
            usedPorts.remove(port.number)
            nodes[port.node.nodeID] = nil
            if let cursor = port.node.cursor { usedCursors.remove(cursor) }
            roster.record(IPN_EVENT_GONE, port.node.nodeID)
            roster.record(IPN_EVENT_GONE, port.queueID)
        }
        announceRoster()
    }

    /// Takes the strokes back by which a node called.
    func hear(_ token: UInt64) {
        guard let node = members[token & ~Self.portBit]?.node, let port = router?.port(of: node) else { return }
        var stroke: UInt8 = 0
        while recv(port.bell.ear.raw, &stroke, 1, CInt(MSG_DONTWAIT)) >= 0 {}
    }

    // MARK: What a node is shown

    /// A node is shown the keeper, as the reader of what it sends and as the writer of what it receives. On a LOSSLESS
    /// network a sender also sees how much other senders have under way, and of nobody what.
    func routedItem(
        _ router: Router, for change: Roster.Change, asker: ConnectedNode, _ descriptors: inout [CInt]
    ) -> ipn_roster_item? {
        guard let own = router.port(of: asker) else { return nil }
        var item = ipn_roster_item()
        item.node_id = change.nodeID
        item.event = change.event.rawValue
        // One bell for all: the keeper sleeps in one place, and polls nothing by a handle.
        let bells = [CInt](repeating: own.bell.clapper.raw, count: 3)
        let isJoin = change.event == IPN_EVENT_JOIN
        if change.nodeID == router.readerID {
            guard asker.sends else { return nil }
            item.flags = UInt32(IPN_MEMBER_RECEIVES) | UInt32(IPN_MEMBER_IS_KEEPER) | UInt32(IPN_MEMBER_RUNG_BY_DATAGRAM)
            if isJoin { descriptors += [router.regionHandle.raw] + bells }
        } else if change.nodeID == own.queueID {
            item.flags = UInt32(IPN_MEMBER_SENDS) | UInt32(IPN_MEMBER_IS_KEEPER) | UInt32(IPN_MEMBER_RUNG_BY_DATAGRAM)
            item.cursor = UInt32(Queue.cursor)
            if isJoin {
                descriptors += [own.regionHandle.raw] + bells
            } else if let handle = own.queue?.handle.raw {
                descriptors.append(handle)
            }
        } else {
            guard router.isLossless, asker.sends else { return nil }
            guard change.event != IPN_EVENT_GONE, let node = nodes[change.nodeID] else {
                return change.event == IPN_EVENT_GONE ? item : nil
            }
            item.flags = UInt32(IPN_MEMBER_SENDS) | UInt32(IPN_MEMBER_RUNG_BY_DATAGRAM)
            if isJoin { descriptors += [node.region.raw] + bells }
            item.cursor = UInt32(node.cursor ?? 0)
        }
        item.descriptors = isJoin ? 4 : change.event == IPN_EVENT_POOL && change.nodeID == own.queueID && own.queue != nil ? 1 : 0
        return item
    }

    /// Whether the roster has to go on naming a node that is the keeper's own.
    func isOwnName(_ nodeID: UInt64) -> Bool {
        guard let router else { return false }
        return nodeID == router.readerID || router.ports.values.contains { $0.queueID == nodeID }
    }
}
