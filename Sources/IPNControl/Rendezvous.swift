package import CLinux
import Glibc
package import IPNSystem
package import SystemPackage

/// Where a network's keeper listens: a path made from the marker's device and inode, in a directory of its owner.
///
/// connect(2) on a socket file needs `w`, so members that may only read could never join through the marker itself.
package struct Rendezvous: Sendable {
    /// The directory of the marker's owner: mode 0711, so that others reach what they know the name of.
    package let directory: String
    /// The keeper's listener.
    package let path: String

    /// The environment variable that names another root than /tmp. Ignored in programs with raised rights.
    package static let rootVariable = "IPN_RUNTIME_ROOT"

    /// Where the door is, or would be. A network that root has made and given away has it among root's.
    package init(marker: FileStatus) {
        let name = "\(String(marker.device, radix: 16))-\(marker.inode)"
        let own = Self.directories(of: marker.owner)
        let all = marker.owner == 0 ? own : own + Self.directories(of: 0)
        directory = all.first { (try? FileStatus(path: "\($0)/\(name)", followLinks: false)) != nil } ?? own.first ?? Self.name(marker.owner, 0)
        path = "\(directory)/\(name)"
    }

    /// The lock under which networks of this owner are made and taken over: two first binds make one network. Its folder is made
    /// where it does not exist and the owner is us.
    ///
    /// - Throws: `EPERM` where no name is left that belongs to the owner: strangers took all of them; what mkdir(2) says.
    package static func lockPath(owner: uid_t) throws(Errno) -> String {
        if let directory = directories(of: owner).first {
            if geteuid() == owner, let status = try? FileStatus(path: directory, followLinks: false), status.mode & 0o777 != 0o711 {
                _ = chmod(directory, 0o711)
            }
            return "\(directory)/lock"
        }
        guard geteuid() == owner else { throw Errno.noSuchFileOrDirectory }
        for attempt in attempts {
            let directory = name(owner, attempt)
            do throws(Errno) {
                _ = try systemCall { mkdir(directory, 0o711) }
            } catch {
                // A stranger's, or made just now by another of our programs.
                guard error == .fileExists else { throw error }
                guard directories(of: owner).contains(directory) else { continue }
            }
            // Whatever the umask.
            _ = chmod(directory, 0o711)
            return "\(directory)/lock"
        }
        throw Errno.notPermitted
    }

    /// Names that an owner's directory may have: strangers may have been faster, and may go away again.
    private static let attempts = 0...9

    private static func name(_ owner: uid_t, _ attempt: Int) -> String {
        "\(environment(rootVariable) ?? "/tmp")/.ipn-\(owner)" + (attempt == 0 ? "" : ".\(attempt)")
    }

    /// Those that are there and the owner's.
    private static func directories(of owner: uid_t) -> [String] {
        attempts.map { name(owner, $0) }.filter { path in
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
