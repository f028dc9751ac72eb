import CIPN
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

/// A member becomes a node: its memory and its place, its pool once it sends, and what it gives up.
extension Keeper {
    func connect(
        _ member: Member, _ request: ipn_request, descriptors: inout DescriptorList, _ answer: inout ipn_answer
    ) throws(Errno) {
        guard member.node == nil else { throw Errno(rawValue: EISCONN) }
        guard !isStarting else { throw Errno(rawValue: ECONNREFUSED) }
        forgetUnanswered(call: request.epoch, of: member)
        guard !isAwaitingReturns else { throw Errno.resourceTemporarilyUnavailable }
        try checkProtocol(request.options.protocol)
        let rights = if let claimed = claimedRights(member) { claimed } else { try rights(of: member) }
        let receives = request.want & UInt32(IPN_WANT_RECEIVE) != 0 && rights.receive
        let sends = request.want & UInt32(IPN_WANT_SEND) != 0 && rights.send
        let observes = request.want & UInt32(IPN_WANT_OOB) != 0 && !rights.isEmpty
        // What both sides of were shut down is claimed as it is: a forked child's calls are to say so, as its parent's do.
        let isSpent = member.claimed?.node.map { !$0.receives && !$0.sends } ?? false
        guard receives || sends || observes || isSpent else { throw Errno.permissionDenied }
        guard (4...5).contains(descriptors.count) else { throw Errno.invalidArgument }
        try requireMemory(Self.memoryOfMember)
        // Who takes a ghost's place adds nobody.
        if member.claimed?.isGhost != true { try checkNodes(of: member.peer.user) }
        if router != nil { giveUpClaim(member) }
        let node = try handedIn(
            &descriptors, request, member, nodeID: newNodeID(), receives: receives, sends: sends)
        node.isBound = member.isBound
        if receives || sends {
            // An observer takes no port.
            if let claimed = claimedPort(member) {
                node.port = claimed
            } else {
                node.port = try takePort(wish: Int(request.port), member, receives: receives, sends: sends)
            }
            do throws(Errno) {
                try enter(node, member, call: request.epoch)
                if let router { try openPort(router, member, node) }
            } catch {
                // As if it had never asked.
                usedPorts.remove(node.port)
                strike(node)
                if let router { router.enter { router.policy.table.delport?($0, CInt(node.port)) } }
                throw error
            }
        }
        step("keeper: on the roll, not announced")
        member.node = node
        member.handlesOutOfBand = member.handlesOutOfBand || observes
        if receives || sends {
            nodes[node.nodeID] = node
            if receives, let ghost = member.claimed, ghost.isGhost, let before = ghost.node { handOnDebts(to: before.nodeID, node.nodeID) }
            roster.record(IPN_EVENT_JOIN, node.nodeID)
            announceRoster()
            // After the new version is out: a writer that has not seen it cannot have gone beyond these heads.
            for writer in nodes.values { node.starts[writer.nodeID] = writer.head }
            node.starts.merge(claimedPlaces(member)) { _, place in place }
            if let router { announcePort(router, member) }
        }
        announceCounts()
        answer.value = node.nodeID
        answer.port = Int32(node.port)
        answer.options = options
        answer.rights = node.flags | (observes ? UInt32(IPN_WANT_OOB) : 0)
    }

    /// The node that is made of what its owner hands in. It has no port yet.
    func handedIn(
        _ descriptors: inout DescriptorList, _ request: ipn_request, _ member: Member, nodeID: UInt64, receives: Bool, sends: Bool
    ) throws(Errno) -> ConnectedNode {
        guard let region = descriptors.next(), let readerBell = descriptors.next(), let writerBell = descriptors.next(),
            let clapper = descriptors.next()
        else { throw Errno.invalidArgument }
        try region.check(is: .memory)
        try readerBell.check(is: .eventCounter)
        try writerBell.check(is: .eventCounter)
        try clapper.check(is: .datagramSocket)
        guard Handle.isKey(request.key) else { throw Errno.invalidArgument }
        let memory = region.adopted()
        guard try SharedMemory.sealedSize(of: memory) == NodeRegion.size else { throw Errno.invalidArgument }
        if let handle = descriptors.next() { member.show(handle) }
        let node = ConnectedNode(
            nodeID: nodeID, userID: member.peer.user, receives: receives, sends: sends, region: memory,
            readerBell: Bell(owning: readerBell.adopted()), writerBell: Bell(owning: writerBell.adopted()), clapper: clapper, key: request.key)
        if member.peer.user != geteuid() { try node.makeKeeperBells() }
        return node
    }

    private func takePort(wish: Int, _ member: Member, receives: Bool, sends: Bool) throws(Errno) -> Int {
        let limit = Int(options.node_limit)
        let candidates = wish >= 0 ? wish..<max(wish, min(wish + 1, limit)) : 0..<limit
        guard usedPorts.count < limit, var port = candidates.first(where: { !usedPorts.contains($0) }) else {
            throw Errno(rawValue: EADDRNOTAVAIL)
        }
        if let router { port = try askForPort(router, port, member, receives: receives, sends: sends) }
        usedPorts.insert(port)
        return port
    }

    func acceptPool(_ member: Member, descriptors: inout DescriptorList) throws(Errno) -> Int {
        guard let node = member.node, node.sends else { throw Errno.invalidArgument }
        // Asked for again, where the answer went down with another keeper.
        if node.pool != nil, let cursor = node.cursor { return cursor }
        guard let handed = descriptors.next() else { throw Errno.invalidArgument }
        let pool = try checkedPool(handed)
        try checkMemory(of: node.userID)
        guard let cursor = (0..<Int(IPN_CURSORS)).first(where: { !usedCursors.contains($0) }) else {
            throw Errno(rawValue: ENOBUFS)
        }
        if let router { try router.listen(to: node, pool: pool, cursor: cursor) }
        take(pool: pool, of: node, cursor: cursor)
        note(node)
        step("keeper: pool on the roll, not announced")
        roster.record(IPN_EVENT_POOL, node.nodeID)
        announceRoster()
        return cursor
    }

    /// Memory that was handed in as a slot pool.
    func checkedPool(_ handed: consuming HandedDescriptor) throws(Errno) -> Descriptor {
        try handed.check(is: .memory)
        let pool = handed.adopted()
        guard try SharedMemory.sealedSize(of: pool) > Int(IPN_PAGE) else { throw Errno.invalidArgument }
        return pool
    }

    func take(pool: consuming Descriptor, of node: ConnectedNode, cursor: Int) {
        usedCursors.insert(cursor)
        node.cursor = cursor
        node.pool = consume pool
    }

    func shutDown(_ member: Member, how: UInt64) throws(Errno) {
        guard let node = member.node else { throw Errno(rawValue: ENOTCONN) }
        let before = node.flags
        if how & 1 != 0 {
            node.receives = false
            if let router, let port = router.port(of: node) { router.closeQueue(of: port) }
            forgetDebts(to: node.nodeID)
        }
        if how & 2 != 0 { node.sends = false }
        guard node.flags != before else { return }
        note(node)
        roster.record(IPN_EVENT_CHANGE, node.nodeID)
        announceRoster()
        announceCounts()
    }
}
