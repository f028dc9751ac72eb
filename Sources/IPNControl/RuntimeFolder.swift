package import CLinux
import Glibc
package import IPNSystem
package import SystemPackage

/// The folder that a user's keepers have their doors in, `/tmp/.ipn-UID`, and the lock that their networks are made under. Its mode is
/// 0711, so that others reach what they know the name of.
package enum RuntimeFolder {
    /// The environment variable that names another root than /tmp. Ignored in programs with raised rights.
    package static let rootVariable = "IPN_RUNTIME_ROOT"

    private static var root: String { trustedEnvironment(rootVariable) ?? "/tmp" }

    /// The folder that all of them are in; nil where it is not there.
    package static var rootStatus: FileStatus? { try? FileStatus(path: root) }

    /// That folder's path, where it is not there.
    package static var missingRoot: String? { rootStatus == nil ? root : nil }

    /// Names that a user's folder may have: strangers may have been faster, and may go away again.
    private static func names(of user: uid_t) -> [String] {
        (0...9).map { "\(root)/.ipn-\(user)" + ($0 == 0 ? "" : ".\($0)") }
    }

    /// Those that are there and the user's.
    package static func all(of user: uid_t) -> [String] {
        guard isSomebody(user) else { return [] }
        return names(of: user).filter { path in
            guard let status = try? FileStatus(path: path, followLinks: false) else { return false }
            return status.isDirectory && status.owner == user
        }
    }

    /// In a user namespace all whom it does not know go by one number: a folder of that owner is anybody's. See user_namespaces(7).
    package static func isSomebody(_ user: uid_t) -> Bool { user != 65534 || linux_knows_all_users() != 0 }

    /// The names for our folder where strangers have all of them.
    package static var takenNames: String? {
        let names = names(of: geteuid())
        guard all(of: geteuid()).isEmpty, names.allSatisfy({ (try? FileStatus(path: $0, followLinks: false)) != nil }) else { return nil }
        return "\(names[0]) to \(names[9])"
    }

    /// The first of a user's, which is made where it does not exist and the user is us; root makes anybody's.
    ///
    /// - Throws: `EPERM` where no name is left that belongs to the user: strangers took all of them; what mkdir(2) says.
    package static func path(of user: uid_t) throws(Errno) -> String {
        guard isSomebody(user) else { throw Errno.notPermitted }
        if let present = all(of: user).first {
            if geteuid() == user, let status = try? FileStatus(path: present, followLinks: false), status.mode & 0o777 != 0o711 {
                _ = chmod(present, 0o711)
            }
            return present
        }
        guard geteuid() == user || geteuid() == 0 else { throw Errno.noSuchFileOrDirectory }
        for name in names(of: user) {
            do throws(Errno) {
                if geteuid() == user { try make(name) } else { try make(name, for: user) }
                return name
            } catch {
                // A stranger's, or made just now by another of our programs.
                guard error == .fileExists else { throw error }
                if let present = all(of: user).first { return present }
            }
        }
        throw Errno.notPermitted
    }

    private static func make(_ name: String) throws(Errno) {
        _ = try systemCall { mkdir(name, 0o711) }
        // Whatever the umask.
        _ = chmod(name, 0o711)
    }

    /// Makes it under a name of its own, and gives it away before others can find it: nobody takes half of it for a stranger's.
    private static func make(_ name: String, for user: uid_t) throws(Errno) {
        var template = Array("\(name).XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno(rawValue: linux_errno()) }
        do throws(Errno) {
            let folder = try Descriptor.open(Path(template.dropLast().map(UInt8.init(bitPattern:))), flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            let raw = folder.raw
            _ = try systemCall { fchmod(raw, 0o711) }
            _ = try systemCall { fchown(raw, user, gid_t.max) }
            _ = try systemCall { linux_rename_new(template, name) }
        } catch {
            rmdir(template)
            throw error
        }
    }

    /// The file that a user's networks are made under, open. It is made where it does not exist.
    package static func lockFile(of user: uid_t) throws(Errno) -> Descriptor {
        // By the folder's descriptor: root might else be led elsewhere by a link in its place.
        let folder = try Descriptor.open(try path(of: user), flags: O_PATH | O_DIRECTORY | O_NOFOLLOW)
        guard try folder.status().owner == user else { throw Errno.notPermitted }
        let raw = folder.raw
        let flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        if geteuid() == user { return Descriptor(owning: try systemCall { linux_open_at(raw, "lock", flags | O_CREAT, 0o600) }) }
        do throws(Errno) {
            return Descriptor(owning: try systemCall { linux_open_at(raw, "lock", flags, 0) })
        } catch {
            guard error == .noSuchFileOrDirectory, geteuid() == 0 else { throw error }
            let made = Descriptor(owning: try systemCall { linux_open_at(raw, "lock", flags | O_CREAT | O_EXCL, 0o600) })
            let number = made.raw
            _ = try systemCall { fchown(number, user, gid_t.max) }
            return made
        }
    }
}
