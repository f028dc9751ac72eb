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

    /// - Throws: `EPERM` where no name is left that belongs to the owner: strangers took all of them.
    package init(marker: FileStatus) throws(Errno) {
        directory = try Self.directory(of: marker.owner)
        path = "\(directory)/\(String(marker.device, radix: 16))-\(marker.inode)"
    }

    /// The lock under which networks of this owner are made and taken over: two first binds make one network.
    package static func lockPath(owner: uid_t) throws(Errno) -> String {
        "\(try directory(of: owner))/lock"
    }

    /// The owner's directory; made where it does not exist and the owner is us.
    private static func directory(of owner: uid_t) throws(Errno) -> String {
        let root = environment(rootVariable) ?? "/tmp"
        for attempt in 0...9 {
            let path = "\(root)/.ipn-\(owner)" + (attempt == 0 ? "" : ".\(attempt)")
            if geteuid() == owner { _ = mkdir(path, 0o711) }
            let status: FileStatus
            do throws(Errno) {
                status = try FileStatus(path: path, followLinks: false)
            } catch {
                if error == .noSuchFileOrDirectory { return path }
                throw error
            }
            guard status.isDirectory, status.owner == owner else { continue }
            if geteuid() == owner && status.mode & 0o777 != 0o711 { _ = chmod(path, 0o711) }
            return path
        }
        throw Errno.notPermitted
    }

    /// An environment variable, unless the program runs with raised rights (AT_SECURE, see getauxval(3)).
    package static func environment(_ name: String) -> String? {
        guard getauxval(UInt(AT_SECURE)) == 0, let value = getenv(name) else { return nil }
        return String(cString: value)
    }
}
