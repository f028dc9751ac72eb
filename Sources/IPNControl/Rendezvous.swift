package import CLinux
import Glibc
package import IPNSystem
package import SystemPackage

/// Where a network's keeper listens: a path made from the marker's device and inode, in a directory of its owner.
///
/// connect(2) on a socket file needs `w`, so members that may only read could never join through the marker itself.
package struct Rendezvous: Sendable {
    /// The keeper's listener.
    package let path: String
    /// Whose programs may keep the network.
    private let keepers: Set<uid_t>

    /// The environment variable that names another root than /tmp. Ignored in programs with raised rights.
    package static let rootVariable = "IPN_RUNTIME_ROOT"

    /// Where the door is; where there is none, where it would be.
    ///
    /// Among the owner's doors, or root's; where the network was given away (chown), it may still be among those of the user who made
    /// it. Who that is the kernel tells. Anybody could make a door of this name: no other's is looked for.
    package init(marker: FileStatus) {
        let name = Self.name(marker)
        let regular = Set([marker.owner, 0].filter(Self.isSomebody))
        if let door = Self.door(name, of: marker.owner) ?? Self.door(name, of: 0) {
            (path, keepers) = (door, regular)
        } else if let maker = Self.maker(of: marker), !regular.contains(maker), let door = Self.door(name, of: maker) {
            (path, keepers) = (door, regular.union([maker]))
        } else {
            (path, keepers) = ("\(Self.directories(of: marker.owner).first ?? Self.directory(marker.owner, 0))/\(name)", regular)
        }
    }

    /// Where a keeper that we start is to have its door: in our directory, mode 0711, so that others reach what they know the name of.
    /// Root's is in root's: in another's, that user might lead root elsewhere.
    /// - Throws: as `lockPath`.
    package static func ownDoor(_ marker: FileStatus) throws(Errno) -> String { try "\(directory(of: geteuid()))/\(name(marker))" }

    /// Whether this user's program may be behind the door.
    package func isKept(by user: uid_t) -> Bool { keepers.contains(user) }

    /// The name that a network's door has, wherever it is.
    package static func name(_ marker: FileStatus) -> String { "\(String(marker.device, radix: 16))-\(marker.inode)" }

    private static func door(_ name: String, of keeper: uid_t) -> String? {
        directories(of: keeper).map { "\($0)/\(name)" }.first { (try? FileStatus(path: $0, followLinks: false)) != nil }
    }

    /// Whoever made the marker's socket, which may be given away as a file only.
    private static func maker(of marker: FileStatus) -> uid_t? {
        var maker: uid_t = 0
        return linux_socket_maker(marker.device, marker.inode, &maker) == 0 && isSomebody(maker) ? maker : nil
    }

    /// In a user namespace all whom it does not know go by one number: a folder of that owner is anybody's. See user_namespaces(7).
    private static func isSomebody(_ user: uid_t) -> Bool { user != 65534 || linux_knows_all_users() != 0 }

    /// The lock under which networks of this owner are made and taken over: two first binds make one network. Its folder is made
    /// where it does not exist and the owner is us; root makes anybody's.
    ///
    /// - Throws: `EPERM` where no name is left that belongs to the owner: strangers took all of them; what mkdir(2) says.
    package static func lockPath(owner: uid_t) throws(Errno) -> String {
        try "\(directory(of: owner))/lock"
    }

    private static func directory(of owner: uid_t) throws(Errno) -> String {
        if let directory = directories(of: owner).first {
            if geteuid() == owner, let status = try? FileStatus(path: directory, followLinks: false), status.mode & 0o777 != 0o711 {
                _ = chmod(directory, 0o711)
            }
            return directory
        }
        guard geteuid() == owner || geteuid() == 0 else { throw Errno.noSuchFileOrDirectory }
        for attempt in attempts {
            let directory = directory(owner, attempt)
            do throws(Errno) {
                _ = try systemCall { mkdir(directory, 0o700) }
            } catch {
                // A stranger's, or made just now by another of our programs.
                guard error == .fileExists else { throw error }
                if directories(of: owner).contains(directory) { return directory }
                continue
            }
            try furnish(directory, owner)
            return directory
        }
        throw Errno.notPermitted
    }

    /// Makes the lock in a directory that is new, and then gives that away: as long as it is ours, nobody else changes what is in it.
    private static func furnish(_ directory: String, _ owner: uid_t) throws(Errno) {
        let folder = try Descriptor.open(Path(directory), flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        let lock = try Descriptor.open(Path("\(directory)/lock"), flags: O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
        let (folderNumber, lockNumber) = (folder.raw, lock.raw)
        // Whatever the umask.
        _ = try systemCall { fchmod(folderNumber, 0o711) }
        guard owner != geteuid() else { return }
        _ = try systemCall { fchown(lockNumber, owner, gid_t.max) }
        _ = try systemCall { fchown(folderNumber, owner, gid_t.max) }
    }

    /// Names that an owner's directory may have: strangers may have been faster, and may go away again.
    private static let attempts = 0...9

    private static func directory(_ owner: uid_t, _ attempt: Int) -> String {
        "\(root)/.ipn-\(owner)" + (attempt == 0 ? "" : ".\(attempt)")
    }

    private static var root: String { environment(rootVariable) ?? "/tmp" }

    /// The folder that all those directories are in, where it is not there.
    package static var missingRoot: String? { (try? FileStatus(path: root)) == nil ? root : nil }

    /// Those that are there and the owner's.
    private static func directories(of owner: uid_t) -> [String] {
        guard isSomebody(owner) else { return [] }
        return attempts.map { directory(owner, $0) }.filter { path in
            guard let status = try? FileStatus(path: path, followLinks: false) else { return false }
            return status.isDirectory && status.owner == owner
        }
    }

    /// An environment variable, unless the program runs with raised rights (AT_SECURE, see getauxval(3)).
    package static func environment(_ name: String) -> String? {
        guard getauxval(UInt(AT_SECURE)) == 0, let value = getenv(name) else { return nil }
        return String(cString: value)
    }
}
