import CIPN
import CLinux
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

/// A node of another keeper's time that is not back: stopped, on its way, or dead and not yet seen to be.
///
/// It keeps its port and its cursor, and counts; whoever has its memory keeps it, and nobody else is given it: its owner has
/// to come back for that. A process that is only stopped may do so at any time.
final class Absentee {
    let entry: Roll.Entry
    let place: Int
    var receives: Bool
    var sends: Bool
    var hasDeparted: Bool
    /// As `ConnectedNode.owed`.
    var owed: Set<UInt64> = []
    private let process: Descriptor?
    /// Readable once its process is gone; -1 where there is none.
    let processNumber: CInt

    init(_ entry: Roll.Entry, place: Int, process: consuming Descriptor?) {
        self.entry = entry
        self.place = place
        receives = entry.state.has(IPN_ROLL_RECEIVES)
        sends = entry.state.has(IPN_ROLL_SENDS)
        hasDeparted = entry.state.has(IPN_ROLL_DEPARTED)
        processNumber = process?.raw ?? -1
        self.process = process
    }

    var cursor: Int? { entry.state.cursor }
    /// Nobody knows whether it was told that it is connected: it comes back, or asks again.
    var isUnanswered: Bool { !hasDeparted && !entry.state.has(IPN_ROLL_ANSWERED) }
}

/// What a keeper makes of another's network: it begins with the roll of the dead one, and everybody on it is absent.
///
///     absent --RETURN--> handed in --PULL--> back         (its memory is given to others)
///        `-----(process ends)--------------> departed, gone
extension Keeper {
    /// Takes over what a dead keeper knew.
    /// - Parameter will: a copy of its page and roll, made by the member that elected us.
    func inherit(_ will: borrowing Descriptor) throws(Errno) {
        let size = Int(try will.status().size)
        guard size >= Int(IPN_PAGE) else { throw Errno.invalidArgument }
        let copy = try Mapping(descriptor: will.raw, size: size, writable: false)
        let old = copy.base.loadUnaligned(as: ipn_network_page.self)
        guard old.magic == UInt64(IPN_NETWORK_MAGIC), old.record_version == UInt32(IPN_RECORD_VERSION) else {
            throw Errno.invalidArgument
        }
        options = ipn_options(
            protocol: old.protocol, mtu: old.mtu, node_limit: old.node_limit, pool_size: old.pool_size, flags: old.flags, mode: old.mode,
            history: old.history, persist: old.persist)
        counts = NodeCounts(packed: old.counts)
        isStarting = false
        wasInherited = true
        nextNodeID = clockNanoseconds()
        for entry in Roll.entries(copy.base, size: size) { try expect(entry, in: old.process_space) }
        let receivers = receivers
        for absentee in absentees.values where absentee.hasDeparted { absentee.owed = receivers }
        for absentee in absentees.values {
            roster.record(absentee.hasDeparted ? IPN_EVENT_DEPART : IPN_EVENT_KNOWN, absentee.entry.nodeID)
        }
        step("keeper: roll inherited, nothing published")
        writeOptions()
        NetworkPage(base: page.mapping.base).counts.storeReleasing(counts.packed)
        announceRoster()
        announceCounts()
        // Who is dead already is seen by the first wait; who cannot be watched is taken for dead.
        for absentee in absentees.values where absentee.processNumber < 0 && !absentee.hasDeparted { lose(absentee) }
    }

    private func expect(_ entry: Roll.Entry, in space: UInt64) throws(Errno) {
        // Whoever was not told that it is connected asks again.
        let isThere = !entry.state.has(IPN_ROLL_DEPARTED) && space == processSpace
        let absentee = Absentee(
            entry, place: try roll.enter(entry, memory: page), process: isThere ? Self.process(of: entry) : nil)
        absentees[entry.nodeID] = absentee
        if let cursor = entry.state.cursor { usedCursors.insert(cursor) }
        if !absentee.hasDeparted { usedPorts.insert(entry.port) }
        if absentee.processNumber >= 0 { try poller.add(absentee.processNumber, token: Self.absenteeBit | entry.nodeID) }
    }

    /// The process that the roll means, unless it is gone; its number may be another's by now.
    private static func process(of entry: Roll.Entry) -> Descriptor? {
        let raw = linux_pidfd(entry.processID)
        guard raw >= 0 else { return nil }
        let process = Descriptor(owning: raw)
        guard (try? process.status().inode) == entry.process else { return nil }
        return process
    }

    // MARK: Coming back

    /// A member of another keeper's time shows what it has.
    func takeBack(
        _ member: Member, _ request: ipn_request, descriptors: inout DescriptorList, _ answer: inout ipn_answer
    ) throws(Errno) -> [CInt] {
        guard wasInherited, !member.hasGreeted else { throw Errno(rawValue: ESTALE) }
        guard let proof = descriptors.next() else { throw Errno.notPermitted }
        guard marker.isReached(by: proof.raw) else { throw Errno.permissionDenied }
        let absentee = absentees[request.value]
        if let absentee { guard isItself(member, absentee) else { throw Errno.notPermitted } }
        // What was granted stays granted, as far as the roll says so.
        let isBound = request.want & UInt32(IPN_WANT_MANAGE) != 0
        if isBound && absentee?.entry.state.has(IPN_ROLL_BOUND) != true { guard try rights(of: member).manage else { throw Errno.notPermitted } }
        if let absentee {
            try takeBackNode(member, request, &descriptors, as: absentee)
        } else {
            try checkHasPart(member)
            if request.value != 0 {
                try takeBackObserver(member, request, &descriptors)
            } else if let handle = descriptors.next(), let clapper = descriptors.next() {
                try member.show(handle, clapper: clapper, key: request.key)
            }
        }
        member.hasGreeted = true
        member.isBound = isBound
        member.handlesOutOfBand = request.want & UInt32(IPN_WANT_OOB) != 0
        member.wantsNumberOfNodes = request.want & UInt32(IPN_WANT_NUMNODES) != 0
        member.description = withUnsafeBytes(of: request.text) {
            Array($0.prefix(Int(min(request.text_length, UInt32(IPN_DESCRLEN)))))
        }
        answer.options = options
        return [pageReader.raw]
    }

    /// Whether a member is who the roll says: the very process, by the kernel's word. Its number is nobody else's as long as it
    /// has not ended, which we are told; a roll whose numbers count in another place has no such entries.
    private func isItself(_ member: Member, _ absentee: Absentee) -> Bool {
        guard !absentee.hasDeparted, absentee.entry.processID == member.peer.processID else { return false }
        return absentee.entry.userID == member.peer.user || member.peer.user == 0
    }

    /// An observer is on no roll. It gets a name of our own: whatever it says it was may be somebody else's.
    private func takeBackObserver(_ member: Member, _ request: ipn_request, _ descriptors: inout DescriptorList) throws(Errno) {
        // Everybody else who is not on the roll was let go.
        guard request.want & UInt32(IPN_WANT_RECEIVE | IPN_WANT_SEND) == 0 else { throw Errno(rawValue: ESTALE) }
        member.node = try handedIn(&descriptors, request, member, nodeID: newNodeID(), receives: false, sends: false)
    }

    private func takeBackNode(
        _ member: Member, _ request: ipn_request, _ descriptors: inout DescriptorList, as absentee: Absentee
    ) throws(Errno) {
        // What it has shut down meanwhile, without a keeper to tell, is over.
        let node = try handedIn(
            &descriptors, request, member, nodeID: absentee.entry.nodeID,
            receives: absentee.receives && request.want & UInt32(IPN_WANT_RECEIVE) != 0,
            sends: absentee.sends && request.want & UInt32(IPN_WANT_SEND) != 0)
        if let handed = descriptors.next() {
            let pool = try checkedPool(handed)
            // Without a cursor the keeper died before it knew of the pool: then its owner asks again.
            if let cursor = absentee.cursor { take(pool: pool, of: node, cursor: cursor) }
        } else if let cursor = absentee.cursor {
            // It was given the cursor and does not know: it will ask again.
            usedCursors.remove(cursor)
        }
        node.port = absentee.entry.port
        node.place = absentee.place
        node.isAnswered = true
        node.isBound = request.want & UInt32(IPN_WANT_MANAGE) != 0
        node.isNewHere = request.epoch == 0
        returning[node.nodeID] = node
        absentees[node.nodeID] = nil
        if absentee.processNumber >= 0 { poller.remove(absentee.processNumber) }
        note(node)
        member.node = node
        step("keeper: taken back, not answered")
    }

    /// A node that has come back asks for the roster: so it looks at our page, and a message that it sends from here on is
    /// never taken back before it has seen who else is here. Now others may be given its memory.
    func welcome(_ node: ConnectedNode) {
        guard returning.removeValue(forKey: node.nodeID) != nil else { return }
        nodes[node.nodeID] = node
        roster.record(IPN_EVENT_JOIN, node.nodeID)
        if node.pool != nil { roster.record(IPN_EVENT_POOL, node.nodeID) }
        announceRoster()
        step("keeper: welcomed, starts not noted")
        // Who has read of a writer before goes on there. Who has not begins with what it sends now, unless that writer
        // began after it had joined: then with the first message.
        for other in nodes.values where other.nodeID != node.nodeID {
            if node.isNewHere || other.isNewHere { node.starts[other.nodeID] = other.head }
            if node.isNewHere || other.isNewHere { other.starts[node.nodeID] = node.head }
        }
        // It may have slept through the last message of somebody who is gone.
        if hasLost { node.wake() }
        announceCounts()
    }

    /// A newcomer's first message should find everybody who is not stopped: it waits until they are back, for a while.
    var isAwaitingReturns: Bool {
        wasInherited && clockNanoseconds() < returnsEnd && (!returning.isEmpty || absentees.values.contains { !$0.hasDeparted })
    }

    // MARK: Not coming back

    /// Who asks to be connected has had no answer to the same request from the keeper before.
    func forgetUnanswered(call: UInt64, of member: Member) {
        let lost = absentees.values.first {
            $0.isUnanswered && $0.entry.call == call && $0.entry.userID == member.peer.user && $0.entry.processID == member.peer.processID
        }
        if let lost { lose(lost) }
    }

    /// Who was perhaps never told that it is connected, and gave up asking, holds nobody up for longer than others may gather.
    func dismissUnanswered() {
        for absentee in absentees.values where absentee.isUnanswered { lose(absentee) }
    }

    /// An absentee's process has ended.
    func lose(_ absentee: Absentee) {
        if absentee.processNumber >= 0 { poller.remove(absentee.processNumber) }
        usedPorts.remove(absentee.entry.port)
        hasLost = true
        absentee.receives = false
        absentee.sends = false
        absentee.hasDeparted = true
        forgetDebts(to: absentee.entry.nodeID)
        if absentee.cursor != nil { absentee.owed = receivers }
        if absentee.owed.isEmpty {
            forget(absentee)
        } else {
            roll.write(
                Roll.State(flags: UInt32(IPN_ROLL_DEPARTED | IPN_ROLL_ANSWERED), cursor: absentee.cursor), at: absentee.place)
            roster.record(IPN_EVENT_DEPART, absentee.entry.nodeID)
        }
        announceRoster(lost: true)
        announceCounts()
    }

    func forget(_ absentee: Absentee) {
        absentees[absentee.entry.nodeID] = nil
        if let cursor = absentee.cursor { usedCursors.remove(cursor) }
        roll.strike(absentee.place)
        roster.record(IPN_EVENT_GONE, absentee.entry.nodeID)
    }

    /// What is told of a node that is not back: to those who know it, to keep it; of one that has left, to those who may have
    /// something of it to read.
    func item(forAbsentee change: Roster.Change, asker: ConnectedNode) -> ipn_roster_item? {
        var item = ipn_roster_item()
        item.node_id = change.nodeID
        item.event = change.event.rawValue
        if let node = returning[change.nodeID] {
            item.flags = node.flags
            return change.event == IPN_EVENT_KNOWN ? item : nil
        }
        guard let absentee = absentees[change.nodeID] else { return nil }
        if change.event == IPN_EVENT_DEPART { return absentee.hasDeparted && absentee.owed.contains(asker.nodeID) ? item : nil }
        guard change.event == IPN_EVENT_KNOWN, !absentee.hasDeparted else { return nil }
        item.flags = (absentee.receives ? UInt32(IPN_MEMBER_RECEIVES) : 0) | (absentee.sends ? UInt32(IPN_MEMBER_SENDS) : 0)
        return item
    }

    /// Everybody who receives, here or absent: to each, a writer that leaves may owe something.
    var receivers: Set<UInt64> {
        let here = (Array(nodes.values) + Array(returning.values)).filter { $0.receives }.map(\.nodeID)
        return Set(here).union(absentees.values.filter { $0.receives }.map(\.entry.nodeID))
    }

    // MARK: The roll

    /// Enters a node that connects.
    func enter(_ node: ConnectedNode, _ member: Member, call: UInt64) throws(Errno) {
        let process = member.processNumber >= 0 ? (try? FileStatus(descriptor: member.processNumber).inode) ?? 0 : 0
        node.place = try roll.enter(
            Roll.Entry(
                nodeID: node.nodeID, userID: node.userID, port: node.port, processID: member.peer.processID, process: process,
                call: call, state: node.state), memory: page)
    }

    func note(_ node: ConnectedNode) {
        if let place = node.place { roll.write(node.state, at: place) }
    }

    /// It has been told that it is connected.
    func noteAnswered(_ member: Member) {
        member.node?.isAnswered = true
        if let node = member.node { note(node) }
    }

    func strike(_ node: ConnectedNode) {
        if let place = node.place { roll.strike(place) }
        node.place = nil
    }

    /// The pid namespace that our process ids count in.
    var processSpace: UInt64 { (try? FileStatus(path: "/proc/self/ns/pid").inode) ?? 0 }
}
