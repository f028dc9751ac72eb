import CIPN
import CLinux
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

/// Descriptors outlive the calls that made them: a program replaces itself (exec), passes one on, or forks.
///
/// The connection to us does not survive exec, but the handle does, and whoever shows us the handle itself has a right
/// to what it stands for:
///
///     member --exec--> ghost --(a claim)--> another member, in its place and at its position
///        |               `--(the process ends, or the handle is closed)--> gone
///        |--(a claim: forked, or passed on)--> a second member with the same rights, from now on
///        `--(the process ends, a child has the handle)--> bequest --(a claim)--> the same
///                                                            `--(the handle is closed)--> gone
extension Keeper {
    /// The link of a member has closed.
    func hangUp(_ member: Member) {
        guard member.holdsNetwork, member.handleCookie != 0, member.isHandleOpen else { return remove(member) }
        guard member.isProcessAlive else { return bury(member) }
        becomeGhost(member)
    }

    private func becomeGhost(_ member: Member) {
        member.isGhost = true
        poller.remove(member.control.socket.descriptor.raw)
    }

    /// The process of a member has ended. It counts no more and holds nobody up; but a child may have its handle, as daemons do whose
    /// parent has bound: then the network goes on, and the child may claim what the handle stood for.
    func bury(_ member: Member) {
        guard member.holdsNetwork, member.handleCookie != 0, member.isHandleOpen else { return remove(member) }
        poller.remove(member.control.socket.descriptor.raw)
        if member.processNumber >= 0 { poller.remove(member.processNumber) }
        guard let node = member.bequeath() else { return }
        welcome(node)
        depart(node)
    }

    /// Removes whose handle nobody has open any more, of those who are gone: no event says so.
    func layGhosts() {
        for member in members.values where member.isGone && !member.isHandleOpen { remove(member) }
    }

    /// Whom a descriptor stands for that `member` has shown; a ghost first.
    func owner(of descriptor: CInt, shownBy member: Member) -> Member? {
        let cookie = linux_socket_cookie(descriptor)
        guard cookie != 0 else { return nil }
        let all = members.values.filter { $0.handleCookie == cookie }
        if let ghost = all.first(where: \.isGhost) { return ghost }
        // Who comes anew in the same process has replaced itself, also where a child of before still holds the old link open. Those of
        // another pid namespace have no number here.
        let process = member.peer.processID
        guard process > 0, let before = all.first(where: { !$0.isGone && $0.peer.processID == process }) else { return all.first }
        becomeGhost(before)
        return before
    }

    /// Lets a newcomer in who showed another member's handle.
    func admit(_ member: Member, claiming owner: Member, _ answer: inout ipn_answer) {
        member.claimed = owner
        answer.value = UInt64(owner.isGhost ? IPN_CLAIM_TAKES : IPN_CLAIM_SHARES)
        answer.rights = owner.flags
        if owner.isBound { answer.rights |= UInt32(IPN_CLAIM_BOUND) }
        if owner.wasConnected { answer.rights |= UInt32(IPN_CLAIM_CONNECTED) }
        if owner.handlesOutOfBand { answer.rights |= UInt32(IPN_CLAIM_HANDLES_OOB) }
        if owner.wantsNumberOfNodes { answer.rights |= UInt32(IPN_CLAIM_WANTS_NUMNODES) }
        answer.port = Int32(owner.node?.port ?? Int(IPN_PORTNO_ANY))
        answer.text_length = withUnsafeMutableBytes(of: &answer.text) { fixedText(owner.description, into: $0) }
    }

    /// What a claimant may do: what the owner of the handle may, whoever the claimant is. Nil where nothing is claimed.
    func claimedRights(_ member: Member) -> Rights? {
        guard let owner = member.claimed, owner.wasConnected else { return nil }
        return Rights(
            receive: owner.flags & UInt32(IPN_MEMBER_RECEIVES) != 0, send: owner.flags & UInt32(IPN_MEMBER_SENDS) != 0, manage: false)
    }

    /// The port of the ghost whose place is taken.
    func claimedPort(_ member: Member) -> Int? {
        guard let owner = member.claimed, owner.isGhost, let node = owner.node, node.port >= 0 else { return nil }
        defer { node.port = Int(IPN_PORTNO_ANY) }
        return node.port
    }

    /// Where the ghost had come to with each writer: there its successor goes on.
    func claimedPlaces(_ member: Member) -> [UInt64: UInt64] {
        guard let owner = member.claimed, owner.isGhost, let node = owner.node else { return [:] }
        var places: [UInt64: UInt64] = [:]
        // What it has sent itself is not for its successor.
        for writer in nodes.values where writer !== node {
            guard let index = writer.cursor else { continue }
            let cursor = NodeRegion.cursorRange(index).lowerBound
            let isPlaced = node.word(cursor + Int(IPN_CURSOR_GENERATION)) == writer.nodeID
            // One that it had not looked at yet is heard from its own join on: from the beginning, where that came later.
            places[writer.nodeID] = isPlaced ? node.word(cursor + Int(IPN_CURSOR_TAIL)) : node.starts[writer.nodeID] ?? 0
        }
        return places
    }

    /// The successor has placed its cursors: nothing is held back for the ghost any more.
    func settleClaim(_ member: Member) {
        guard let owner = member.claimed else { return }
        member.claimed = nil
        if owner.isGhost { remove(owner) }
    }
}
