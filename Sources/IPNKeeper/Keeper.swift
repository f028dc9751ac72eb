import CIPN
import CLinux
import Glibc
package import IPNControl
import IPNRing
package import IPNSystem
package import SystemPackage

/// What the kernel would have kept of a network: the inode, the options, who is connected with which rights, the
/// counts. One thread, one loop; it never blocks on a client and believes none.
package final class Keeper {
    let marker: Marker
    let rendezvous: String
    let listener: Descriptor
    /// When our door was made.
    let door: UInt64
    let poller: Poller
    let page: SharedMemory
    let pageReader: Descriptor
    /// For who comes when no other is left.
    var spare = SpareDescriptor()
    let limits: UserLimits
    var unread = UnreadAnswers()
    /// Users of whom no node is left, and whose bells are kept still; the last that left last.
    var departedUsers: [uid_t] = []
    var options: ipn_options
    var roster: Roster
    var members: [UInt64: Member] = [:]
    /// All whom the roster speaks of: the connected, and those who left with unread messages.
    var nodes: [UInt64: ConnectedNode] = [:]
    var usedPorts: Set<Int> = []
    var usedCursors: Set<Int> = []
    var roll: Roll
    /// Who was here before this keeper and is not back yet, by node id.
    var absentees: [UInt64: Absentee] = [:]
    /// Who has shown what it has, and does not look at our page yet.
    var returning: [UInt64: ConnectedNode] = [:]
    private var nextToken = Keeper.firstToken
    var nextNodeID: UInt64 = 1
    /// The first bind has not come yet: its options make the network.
    var isStarting = true
    /// What the router's policy was loaded from.
    var policyObject: HandedDescriptor?
    /// On a routed network, whose messages go through us.
    var router: Router?
    /// What a refusal says beside its errno.
    var complaint = ""
    /// The network was another keeper's before.
    var wasInherited = false
    /// Somebody of another keeper's time has not come back.
    var hasLost = false
    private let gatheringEnd = clockNanoseconds() + 2_000_000_000
    /// When newcomers are let in, whoever of another keeper's time is still away.
    let returnsEnd = clockNanoseconds() + 60_000_000
    var counts = NodeCounts(version: 1, readers: 0, writers: 0)

    private static let listenerToken: UInt64 = 1
    private static let interruptionToken: UInt64 = 2
    /// The program's that makes the network.
    private static let firstToken: UInt64 = 3
    /// Marks the tokens of pidfds.
    static let processBit: UInt64 = 1 << 63
    /// Marks the tokens of the bells by which nodes call a router.
    static let portBit: UInt64 = 1 << 62
    /// Marks node ids in place of tokens: a pidfd of an absentee.
    static let absenteeBit: UInt64 = 1 << 61

    /// - Parameters:
    ///   - marker: the bound socket, and a path descriptor of its file.
    ///   - listener: listening at `rendezvous` already.
    ///   - first: the connection of the program that makes the network, or has elected us.
    ///   - limits: what one user may take of it.
    ///   - will: what a dead keeper knew of the network, where we take its place.
    package init(
        marker: consuming Descriptor, markerPath: consuming Descriptor, listener: consuming Descriptor,
        rendezvous: String, first: consuming Descriptor, limits: UserLimits = UserLimits(), will: consuming Descriptor? = nil
    ) throws(Errno) {
        self.marker = try Marker(socket: marker, path: markerPath)
        self.rendezvous = rendezvous
        door = (try? FileStatus(path: rendezvous, followLinks: false).changeTime) ?? 0
        self.listener = listener
        self.limits = limits
        poller = try Poller()
        page = try SharedMemory(name: "ipn-network", size: NetworkPage.size, sealedAgainstMapping: true)
        try page.commit(0..<Int(IPN_PAGE))
        roll = Roll(base: page.mapping.base)
        // A later keeper's versions, epochs and node ids are above an earlier one's: each counts from the clock's nanoseconds,
        // and none can do so many things.
        roster = Roster(start: clockNanoseconds())
        pageReader = try page.readOnlyDescriptor()
        options = ipn_options()
        try poller.add(self.listener.raw, token: Self.listenerToken)
        raiseDescriptorLimit()
        if let will { try inherit(will) }
        try admit(first)
    }

    /// Serves until the last node is gone, or somebody asks to stop: then the nodes go on without a keeper, as if it had
    /// been killed, but its door is not left behind.
    package func run(_ interruption: borrowing Interruption) throws(Errno) {
        try poller.add(interruption.raw, token: Self.interruptionToken)
        while isStarting || isNeeded {
            if wasInherited && !isGathering { dismissUnanswered() }
            let mayRest = router.map { route($0) } ?? true
            for event in try poller.wait(milliseconds: mayRest ? patience : 0) {
                if event.token == Self.listenerToken {
                    acceptSome()
                } else if event.token == Self.interruptionToken {
                    _ = unlink(rendezvous)
                    return
                } else if event.token & Self.portBit != 0 && event.token & Self.processBit == 0 {
                    hear(event.token)
                } else if event.token & Self.absenteeBit != 0 {
                    if let absentee = absentees[event.token & ~Self.absenteeBit] { lose(absentee) }
                } else if let member = members[event.token & ~Self.processBit] {
                    if event.token & Self.processBit != 0 {
                        bury(member)
                    } else {
                        serve(member, hungUp: event.isHungUp)
                    }
                }
            }
        }
        router.map { router in router.enter { router.policy.table.delnet?($0) } }
        end()
    }

    /// How long to wait for events. Nobody says when the file of a network without members is removed, or when the handle
    /// of a ghost is closed: look now and then.
    private var patience: CInt {
        if isGathering { return 100 }
        if members.isEmpty { return 5000 }
        guard members.values.contains(where: \.isGone) else { return -1 }
        layGhosts()
        return 100
    }

    /// Takes the network's file away, and the door.
    private func end() {
        // Somebody whom we never heard of may still hold a network that was another keeper's, and elect a third: not while
        // we look.
        let lock = wasInherited ? try? ElectionLock(of: marker.status(), waiting: true) : nil
        step("keeper: about to end")
        // First the door: of a keeper that is killed here, nothing is left but the marker, which its owner takes over. Whoever
        // comes between looks again until the name is gone, and makes a network of its own.
        _ = unlink(rendezvous)
        step("keeper: door removed, file not")
        if !wasInherited || marker.isForsaken() { marker.remove() }
        lock?.touch()
    }

    /// Whoever is only bound stands on no roll: give them all a moment to come back.
    private var isGathering: Bool { wasInherited && clockNanoseconds() < gatheringEnd }

    private var isNeeded: Bool {
        if members.values.contains(where: { $0.holdsNetwork }) || isGathering { return true }
        if absentees.values.contains(where: { !$0.hasDeparted }) { return true }
        // Whoever has only just left still holds the marker, which tells us about others.
        if wasInherited && members.values.contains(where: \.hasGreeted) { return true }
        // A network that nobody can reach any more persists for nobody.
        return options.persist != 0 && ((try? marker.status().linkCount) ?? 0) > 0
    }

    func serve(_ member: Member, hungUp: Bool) {
        Disposal.giver = member.peer.user
        if Disposal.isBehind(with: member.peer.user) { return remove(member) }
        do throws(Errno) {
            guard try answerOne(member) else { return hangUp(member) }
        } catch {
            // It hung up with answers unread, talks nonsense, or does not read what it asked for.
            if error == .connectionReset { hangUp(member) } else { remove(member) }
        }
    }

    /// Takes a member off: its process died, its socket closed, or it does not behave.
    func remove(_ member: Member) {
        guard members.removeValue(forKey: member.token) != nil else { return }
        poller.remove(member.control.socket.descriptor.raw)
        if member.processNumber >= 0 { poller.remove(member.processNumber) }
        Disposal.giver = member.peer.user
        member.control.socket.refuseAll()
        noteUnread(member)
        if isMaker(member) { isStarting = false }
        leave(member)
    }

    /// Takes a member's part in the network away, whatever it was.
    func leave(_ member: Member) {
        member.isBound = false
        guard let node = member.node else { return }
        // On its way back, it has first to arrive.
        welcome(node)
        member.node = nil
        depart(node)
    }

    /// Whether it is the program that started us.
    func isMaker(_ member: Member) -> Bool { member.token == Self.firstToken }

    func newToken() -> UInt64 {
        defer { nextToken += 1 }
        return nextToken
    }

    func newNodeID() -> UInt64 {
        defer { nextNodeID += 1 }
        return nextNodeID
    }

    // MARK: What everybody can see

    /// Publishes the roster's version, and wakes who sleeps to look.
    ///
    /// - Parameter lost: somebody has left, who may not have rung for its last message: then those who poll have to look
    ///   too. For a newcomer's sake they need not: it rings by itself.
    func announceRoster(lost: Bool = false) {
        let page = NetworkPage(base: page.mapping.base)
        page.rosterVersion.storeReleasing(roster.version)
        fullFence()
        for member in members.values {
            guard let node = member.node else { continue }
            if lost {
                node.wake()
            } else {
                if node.receives { node.ringReader() }
                if node.sends { node.ringWriter() }
            }
        }
        let (here, away, back) = (nodes, absentees, returning)
        roster.compact(
            living: { here[$0] != nil || away[$0] != nil || back[$0] != nil || isOwnName($0) }, count: here.count + away.count + back.count)
    }

    /// Publishes who is there, and rings whoever asked to be told.
    func announceCounts() {
        var now = NodeCounts(version: counts.version, readers: 0, writers: 0)
        for member in members.values {
            guard let node = member.node else { continue }
            if node.receives { now.readers += 1 }
            if node.sends { now.writers += 1 }
        }
        for absentee in absentees.values where !absentee.hasDeparted {
            if absentee.receives { now.readers += 1 }
            if absentee.sends { now.writers += 1 }
        }
        guard now != counts else { return }
        now.version &+= 1
        counts = now
        NetworkPage(base: page.mapping.base).counts.storeReleasing(now.packed)
        fullFence()
        for member in members.values where member.handlesOutOfBand && member.wantsNumberOfNodes {
            member.node?.ringReader()
            member.node?.strike()
        }
    }

    /// Every member costs a few descriptors: the soft limit, made for select(2), is no good here.
    private func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
