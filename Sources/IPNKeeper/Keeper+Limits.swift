import CIPN
import CLinux
import Glibc
import IPNControl
import IPNSystem
import SystemPackage

/// What one user may take of the network. See `UserLimits`.
///
/// What is counted is looked at when it is asked for, not kept in step: joins are rare beside what they cost.
extension Keeper {
    /// The network is its owner's, and nothing holds root.
    private func isLimited(_ user: uid_t) -> Bool {
        user != 0 && user != ((try? marker.status().owner) ?? 0)
    }

    private func nodeLimit() -> Int { limits.nodes(of: Int(options.node_limit)) }

    /// - Throws: `EDQUOT` where the user has as many nodes as one may have.
    func checkNodes(of user: uid_t) throws(Errno) {
        guard isLimited(user) else { return }
        let limit = nodeLimit()
        let present = members.values.count { $0.peer.user == user && $0.node != nil }
        // Who left with unread messages has no port, but descriptors of ours.
        let departed = nodes.values.count { $0.userID == user && $0.hasDeparted }
        guard present < limit, departed < Self.departedPerNode * limit else { throw Errno(rawValue: EDQUOT) }
    }

    /// - Throws: `EDQUOT` where the user's nodes hold as much memory as one user's may.
    func checkMemory(of user: uid_t) throws(Errno) {
        guard isLimited(user), memory(of: user) >= limits.memory else { return }
        throw Errno(rawValue: EDQUOT)
    }

    /// Whether what a departing node has sent may stay until it is read. Its own memory was its process's affair;
    /// from here on it is the network's.
    func mayStay(_ node: ConnectedNode) -> Bool {
        !isLimited(node.userID) || memory(of: node.userID) <= limits.memory
    }

    /// Bytes that are really there, of all memory that was handed in for a user's nodes.
    private func memory(of user: uid_t) -> Int {
        var sum = 0
        for node in nodes.values where node.userID == user {
            sum += node.region.allocatedBytes()
            // A borrow of what is optional: the descriptor cannot be copied.
            switch node.pool {
            case .some(let pool): sum += pool.allocatedBytes()
            case nil: break
            }
        }
        return sum
    }

    /// Whether one more connection of a user is too many. A program has one for each node, and one for a moment to
    /// ask for the network's state.
    func isCrowded(_ user: uid_t) -> Bool {
        guard isLimited(user) else { return false }
        return members.values.count { $0.peer.user == user } >= 2 * nodeLimit() + 64
    }

    private static var departedPerNode: Int { 8 }

    // MARK: Descriptors on their way

    /// - Throws: `EBUSY` where too many answers with descriptors of a user's have not been received.
    func checkUnread(of user: uid_t) throws(Errno) {
        guard isLimited(user) else { return }
        unread.forgetReceived()
        let here = members.values.count { $0.peer.user == user && $0.control.socket.hasUnread }
        guard here + unread.count(of: user) < Self.mostUnread else { throw Errno.resourceBusy }
    }

    /// Remembers a connection that goes with answers unread: they stay on their way as long as the other end keeps it open.
    func noteUnread(_ member: Member) {
        guard isLimited(member.peer.user), member.control.socket.hasUnread else { return }
        unread.add(member.control.socket.descriptor, of: member.peer.user)
    }

    private static var mostUnread: Int { 8 }
}

/// Connections that are over, and whose last answer nobody has received.
///
/// Descriptors on their way count against the limit on open files (`ulimit -n`) of our user, over all his programs: whoever asked for
/// many and received none would have those send each other no more. See unix(7), `ETOOMANYREFS`.
struct UnreadAnswers: ~Copyable {
    private var sockets: [CInt: uid_t] = [:]

    func count(of user: uid_t) -> Int { sockets.values.count { $0 == user } }

    mutating func add(_ socket: borrowing Descriptor, of user: uid_t) {
        guard let last = try? socket.duplicate() else { return }
        // The other end sees it closed.
        _ = shutdown(last.raw, CInt(SHUT_RDWR))
        sockets[last.release()] = user
    }

    mutating func forgetReceived() {
        for socket in sockets.keys where linux_unread(socket) == 0 {
            sockets[socket] = nil
            _ = close(socket)
        }
    }
}
