package import CLinux
import Glibc
package import IPNSystem
package import SystemPackage

/// Where a network's keeper listens: its door, a socket file that is named after the marker's device and inode, in a folder of
/// whoever keeps the network.
///
/// connect(2) on a socket file needs `w`, so members that may only read could never join through the marker itself.
///
/// The owner's programs have their doors in the owner's folder, root's in root's: in another's, that user might lead root elsewhere.
/// A network that was given away (chown) may still be kept by the user who made it, whom the kernel names. Anybody could make a door of
/// the right name: no other's is looked for. A keeper that was killed leaves its door, so that the first that there is need not be it.
package enum Rendezvous {
    /// The name of a network's door, wherever it is.
    package static func name(_ marker: FileStatus) -> String { "\(String(marker.device, radix: 16))-\(marker.inode)" }

    /// Where a keeper that we start is to have its door.
    /// - Throws: as `RuntimeFolder.path`.
    package static func ownDoor(_ marker: FileStatus) throws(Errno) -> String {
        "\(try RuntimeFolder.path(of: geteuid()))/\(name(marker))"
    }

    /// The doors of this network that are there, whoever may be behind them.
    package static func doors(_ marker: FileStatus) -> [String] {
        keepers(marker).flatMap { places(name(marker), of: $0) }.filter { (try? FileStatus(path: $0, followLinks: false)) != nil }
    }

    /// Connects to the keeper.
    /// - Throws: `ECONNREFUSED` where nobody opens who may keep the network; what connect(2) says of our own resources.
    package static func reach(_ marker: FileStatus) throws(Errno) -> OpenDoor {
        let name = name(marker)
        for user in usualKeepers(marker) {
            if let open = try knock(places(name, of: user), of: user) { return open }
        }
        if let maker = maker(of: marker), let open = try knock(places(name, of: maker), of: maker) { return open }
        throw Errno.connectionRefused
    }

    /// Connects to the keeper behind a door that is known by its path. Where nobody opens: another keeper's may be root's, or ours.
    /// Anybody may have made the door: who stands behind it is waited for, here and with what is asked, a second at the most.
    ///
    /// Whether that is the network's keeper, its marker has to tell: see `mayKeep`.
    ///
    /// - Throws: as the other.
    package static func reach(door path: String) throws(Errno) -> OpenDoor {
        let name = path.split(separator: "/").last ?? ""
        let others = [0, geteuid()].flatMap { places(String(name), of: $0) }
        guard let open = try knock([path] + others, of: nil, milliseconds: 1000) else { throw Errno.connectionRefused }
        return open
    }

    /// Whether a user's program may keep this network.
    package static func mayKeep(_ user: uid_t, _ marker: FileStatus) -> Bool { keepers(marker).contains(user) }

    /// Where a user's door of that name may be.
    private static func places(_ name: String, of user: uid_t) -> [String] { RuntimeFolder.all(of: user).map { "\($0)/\(name)" } }

    private static func usualKeepers(_ marker: FileStatus) -> [uid_t] {
        (marker.owner == 0 ? [0] : [marker.owner, 0]).filter(RuntimeFolder.isSomebody)
    }

    private static func keepers(_ marker: FileStatus) -> [uid_t] { usualKeepers(marker) + (maker(of: marker).map { [$0] } ?? []) }

    /// Whether a socket file is another program's, as far as the kernel tells.
    package static func isOthers(_ file: FileStatus) -> Bool {
        var maker: uid_t = 0
        return linux_socket_maker(file.device, file.inode, &maker) != 0 && linux_errno() == ENOTSOCK
    }

    /// Whoever made the marker's socket, which may be given away as a file only; nil where that is the owner or root.
    private static func maker(of marker: FileStatus) -> uid_t? {
        var maker: uid_t = 0
        guard linux_socket_maker(marker.device, marker.inode, &maker) == 0, RuntimeFolder.isSomebody(maker) else { return nil }
        return maker == marker.owner || maker == 0 ? nil : maker
    }

    /// - Parameter user: in whose folder they are: his programs, or root's, may be behind them; nil for anybody's.
    /// - Returns: the first that is opened; nil where none is.
    private static func knock(_ doors: [String], of user: uid_t?, milliseconds: Int = 0) throws(Errno) -> OpenDoor? {
        for path in doors {
            do throws(Errno) {
                let socket = try PacketSocket(connectingTo: path, milliseconds: milliseconds)
                let keeper = try socket.peer().user
                guard user == nil || keeper == user || keeper == 0 else { continue }
                return OpenDoor(socket: socket, path: path, keeper: keeper)
            } catch {
                switch error {
                // No keeper, or one that is leaving, or whose door is not yet open to others.
                case .noSuchFileOrDirectory, .connectionRefused, .brokenPipe, .connectionReset, .permissionDenied: continue
                default: throw error
                }
            }
        }
        return nil
    }
}

/// A connection to somebody behind a door.
package struct OpenDoor: ~Copyable {
    private let socket: PacketSocket
    package let path: String
    /// The user whose program it is.
    package let keeper: uid_t

    fileprivate init(socket: consuming PacketSocket, path: String, keeper: uid_t) {
        self.socket = socket
        self.path = path
        self.keeper = keeper
    }

    package consuming func enter() -> ControlSocket { ControlSocket(socket) }
}
