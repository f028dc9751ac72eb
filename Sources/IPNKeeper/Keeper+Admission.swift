import CIPN
import CLinux
import Glibc
import IPNControl
import IPNSystem
import SystemPackage

/// Who comes in, and who is sent away when there is no room.
extension Keeper {
    /// Takes in who waits at the door, a few at a time: a flood of connections does not starve who is in.
    func acceptSome() {
        for _ in 0..<64 {
            let raw = linux_accept(listener.raw, CInt(SOCK_CLOEXEC.rawValue))
            if raw >= 0 {
                // A client that cannot be watched is one that we cannot serve.
                try? admit(Descriptor(owning: raw))
            } else if [EMFILE, ENFILE, ENOMEM, ENOBUFS].contains(linux_errno()) {
                guard makeRoom() else { return }
            } else {
                return
            }
        }
    }

    func admit(_ connection: consuming Descriptor) throws(Errno) {
        let socket = PacketSocket(owning: connection)
        let peer = try socket.peer()
        Disposal.giver = peer.user
        var refusal = isCrowded(peer.user) && !evictSilent(of: peer.user) ? Errno(rawValue: EDQUOT) : nil
        // Who comes is told so; who is in goes on.
        do throws(Errno) { try requireMemory(Self.memoryOfMember) } catch { refusal = error }
        let pidfd = linux_peer_pidfd(socket.descriptor.raw, peer.processID)
        let token = newToken()
        do throws(Errno) {
            try poller.add(socket.descriptor.raw, token: token)
            if pidfd >= 0 { try poller.add(pidfd, token: token | Self.processBit) }
        } catch {
            if pidfd >= 0 { _ = close(pidfd) }
            socket.refuseAll()
            throw error
        }
        let member = Member(
            token: token, control: ControlSocket(socket), peer: peer,
            process: pidfd >= 0 ? Descriptor(owning: pidfd) : nil)
        member.refusal = refusal
        members[token] = member
    }

    /// Bytes of our own that are there before somebody is let in: more than anybody costs.
    static var memoryOfMember: Int { 1 << 20 }

    /// Sends somebody away who connected and has not shown the marker: of one user, or of whoever has most of them.
    private func evictSilent(of user: uid_t? = nil) -> Bool {
        let silent = members.values.filter { !$0.hasGreeted && !isMaker($0) && (user == nil || $0.peer.user == user) }
        var counts: [uid_t: Int] = [:]
        for member in silent { counts[member.peer.user, default: 0] += 1 }
        // The one who had longest to speak, of the user who has most.
        let victim = silent.min { one, other in
            let (first, second) = (counts[one.peer.user] ?? 0, counts[other.peer.user] ?? 0)
            return first != second ? first > second : one.token < other.token
        }
        guard let victim else { return false }
        remove(victim)
        return true
    }

    /// No descriptor is left for who waits at the door. Unheard, it would ring for ever.
    /// - Returns: whether to try again.
    private func makeRoom() -> Bool {
        if evictSilent() { return true }
        // Everybody who is in has a right to be: who comes is turned away, over the descriptor kept for that.
        guard spare.take() else { return false }
        let raw = linux_accept(listener.raw, CInt(SOCK_CLOEXEC.rawValue))
        if raw >= 0 { Disposal.closeLater(raw) }
        spare.refill()
        return raw >= 0
    }
}

/// A descriptor that is kept only to be given up when there is no other.
struct SpareDescriptor: ~Copyable {
    private var descriptor: Descriptor?

    init() { refill() }

    mutating func refill() {
        if descriptor == nil { descriptor = try? Descriptor.open("/dev/null", flags: O_RDONLY) }
    }

    /// - Returns: whether there was one to give up.
    mutating func take() -> Bool {
        let had = descriptor != nil
        descriptor = nil
        return had
    }
}
