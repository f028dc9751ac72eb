import CIPN
import CLinux
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

/// The answers that carry records: the roster, and what `ipn show` prints.
extension Keeper {
    /// The next part of the roster, with at most `IPN_DESCRIPTORS_MAX` descriptors: those in flight count against the
    /// user's limit, and the next part goes out only when it is asked for.
    func answerPull(_ member: Member, _ request: ipn_request, _ template: ipn_answer) throws(Errno) {
        var answer = template
        guard let asker = member.node else { throw Errno(rawValue: ENOTCONN) }
        welcome(asker)
        do throws(Errno) {
            try checkUnread(of: member.peer.user)
        } catch {
            // Nothing yet: it is to ask again.
            answer.value = request.value
            answer.epoch = request.epoch
            answer.more = 1
            return try member.control.send(answer, items: [Never]())
        }
        let changes = roster.changes(after: request.value, epoch: request.epoch)
        var items: [ipn_roster_item] = []
        var descriptors: [CInt] = []
        answer.value = roster.version
        answer.epoch = roster.epoch
        if let bells = asker.keeperBells, !asker.hearsKeeper {
            asker.hearsKeeper = true
            var item = ipn_roster_item()
            item.event = IPN_EVENT_KEEPER.rawValue
            item.descriptors = 2
            items.append(item)
            descriptors = [bells.reader.ear.raw, bells.writer.ear.raw]
        }
        for change in changes {
            if items.count == Int(IPN_ITEMS_MAX) || descriptors.count + Int(IPN_JOIN_DESCRIPTORS) > Int(IPN_DESCRIPTORS_MAX) {
                answer.value = change.version - 1
                answer.more = 1
                break
            }
            // What is told of a node that has gone meanwhile is only that.
            guard change.nodeID != asker.nodeID, let item = try item(for: change, asker: asker, &descriptors) else { continue }
            items.append(item)
        }
        try member.control.send(answer, items: items, descriptors: descriptors)
        ringNewcomers(items, for: asker)
    }

    /// Rings those of whom a LOSSY writer has just been told: it may have sent before it knew them, when they slept already.
    ///
    /// After the answer has gone: whoever sends once it is there rings by itself.
    private func ringNewcomers(_ items: [ipn_roster_item], for writer: ConnectedNode) {
        guard router == nil, let head = writer.head else { return }
        // FENCE newcomer: the message before the look at `armed`; pairs with FENCE arm in Inbox.
        fullFence()
        for item in items where item.event == IPN_EVENT_JOIN.rawValue {
            guard let node = nodes[item.node_id], node.receives, pending(for: node, from: writer, head) > 0 else { continue }
            let armed = node.word(Int(IPN_NODE_ARMED))
            if armed & UInt64(IPN_ASLEEP) != 0 { node.readerDoorbell.ring(armed) }
        }
    }

    private func item(
        for change: Roster.Change, asker: ConnectedNode, _ descriptors: inout [CInt]
    ) throws(Errno) -> ipn_roster_item? {
        if let router { return routedItem(router, for: change, asker: asker, &descriptors) }
        var item = ipn_roster_item()
        item.node_id = change.nodeID
        item.event = change.event.rawValue
        if change.event == IPN_EVENT_GONE { return item }
        guard let node = nodes[change.nodeID] else { return self.item(forAbsentee: change, asker: asker) }
        if change.event == IPN_EVENT_KNOWN { return nil }  // it is back, and named as a newcomer is
        item.flags = node.flags
        let before = descriptors.count
        if change.event == IPN_EVENT_JOIN {
            descriptors.append(node.region.raw)
            if node.isForeign(to: asker) {
                let bells = try node.foreignBells(of: asker.userID)
                descriptors += [bells.reader.clapper.raw, bells.writer.clapper.raw]
                item.flags |= UInt32(IPN_MEMBER_RUNG_BY_DATAGRAM)
            } else {
                descriptors += [node.readerBell.descriptor.raw, node.writerBell.descriptor.raw]
            }
            descriptors.append(try node.clapper(for: asker))
            item.key = node.key
            if asker.isForeign(to: node), asker.beginsToHear(node.userID) {
                let ears = try asker.foreignBells(of: node.userID)
                descriptors += [ears.reader.ear.raw, ears.writer.ear.raw]
                item.flags |= UInt32(IPN_MEMBER_IS_HEARD)
            }
        } else if change.event == IPN_EVENT_POOL, let pool = node.pool?.raw, let cursor = node.cursor {
            // Who may not receive gets nobody's memory, and who came after a writer left is owed nothing.
            if asker.receives, !node.hasDeparted || node.owed.contains(asker.nodeID) { descriptors.append(pool) }
            item.cursor = UInt32(cursor)
            if let start = asker.starts.removeValue(forKey: change.nodeID) {
                item.start = start
                item.flags |= UInt32(IPN_MEMBER_WAS_THERE)
            }
        }
        item.descriptors = UInt32(descriptors.count - before)
        return item
    }

    /// Every member with its counts, from the first token after `request.value` on.
    func answerStatus(_ member: Member, _ request: ipn_request, _ template: ipn_answer) throws(Errno) {
        var answer = template
        let shown = try others(than: member, after: request.value, atMost: 64, &answer)
        let streams = nodes.values.compactMap { node in node.head.map { (node, $0) } }
        try member.control.send(answer, items: shown.map { status(of: $0, streams: streams) })
    }

    /// The delays of everybody who receives, likewise. Apart from the rest: they are five times as long.
    func answerDelays(_ member: Member, _ request: ipn_request, _ template: ipn_answer) throws(Errno) {
        var answer = template
        let shown = try others(than: member, after: request.value, atMost: Int(IPN_DELAYS_ITEMS_MAX), &answer)
        let readers = shown.compactMap(\.node).filter(\.receives)
        try member.control.send(answer, items: readers.map { ipn_delays_item(node_id: $0.nodeID, delays: $0.delays()) })
    }

    /// A part of the list of members, and in the answer where it goes on.
    private func others(than member: Member, after token: UInt64, atMost room: Int, _ answer: inout ipn_answer) throws(Errno) -> [Member] {
        try checkHasPart(member)
        let tokens = members.keys.filter { $0 > token }.sorted()
        let shown = tokens.prefix(room)
        answer.options = options
        answer.value = shown.last ?? token
        answer.more = tokens.count > room ? 1 : 0
        return shown.compactMap { members[$0] }.filter { $0.holdsNetwork && $0.bequest == nil && $0.token != member.token }
    }

    private func status(of member: Member, streams: [(ConnectedNode, head: UInt64)]) -> ipn_status_item {
        var item = ipn_status_item()
        item.port = -1
        item.pid = UInt32(bitPattern: member.peer.processID)
        item.uid = member.peer.user
        item.text_length = withUnsafeMutableBytes(of: &item.text) { fixedText(member.description, into: $0) }
        guard let node = member.node else { return item }
        item.node_id = node.nodeID
        item.port = Int32(node.port)
        item.flags = node.flags
        item.sent = node.word(Int(IPN_NODE_HEAD))
        item.received = node.word(Int(IPN_NODE_RECEIVED))
        item.lost = node.word(Int(IPN_NODE_LOST))
        item.dropped = node.word(Int(IPN_NODE_DROPPED))
        item.sent_bytes = node.word(Int(IPN_NODE_SENT_BYTES))
        item.received_bytes = node.word(Int(IPN_NODE_RECEIVED_BYTES))
        if let port = router?.port(of: node) {
            item.dropped &+= port.lostOfIt
            item.pending = port.pending
        } else if node.receives {
            for (stream, head) in streams where stream.nodeID != node.nodeID {
                item.pending &+= pending(for: node, from: stream, head)
            }
        }
        return item
    }

    /// What a node has not read yet of a writer; 0 where it has no place in it. All are other processes' words: sums of it must
    /// not trap.
    private func pending(for node: ConnectedNode, from writer: ConnectedNode, _ head: UInt64) -> UInt64 {
        guard let cursor = writer.cursor else { return 0 }
        let place = NodeRegion.cursorRange(cursor).lowerBound
        guard node.word(place + Int(IPN_CURSOR_GENERATION)) == writer.nodeID else { return 0 }
        let tail = node.word(place + Int(IPN_CURSOR_TAIL))
        return head >= tail ? head - tail : 0
    }
}
