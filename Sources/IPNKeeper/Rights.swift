import Glibc
package import IPNSystem

/// What the marker's mode bits give to a user: `r` receives, `w` sends, `x` manages. See path_resolution(7).
package struct Rights: Equatable, Sendable {
    package let receive: Bool
    package let send: Bool
    package let manage: Bool

    package var isEmpty: Bool { !receive && !send && !manage }

    init(receive: Bool, send: Bool, manage: Bool) {
        self.receive = receive
        self.send = send
        self.manage = manage
    }

    /// - Parameters:
    ///   - marker: the marker's status as it is now: chmod and chown take effect at once.
    ///   - peer: as the kernel vouches for it.
    package init(marker: FileStatus, peer: PacketSocket.Peer) {
        if peer.user == 0 {
            receive = true
            send = true
            // As access(2) has it: root may execute what anybody may.
            manage = marker.mode & 0o111 != 0
            return
        }
        let bits: mode_t
        if peer.user == marker.owner {
            bits = marker.mode >> 6
        } else if peer.group == marker.group || peer.groups.contains(marker.group) {
            bits = marker.mode >> 3
        } else {
            bits = marker.mode
        }
        receive = bits & 4 != 0
        send = bits & 2 != 0
        manage = bits & 1 != 0
    }
}
