import CLinux
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

/// Where a marker is to be: a folder that is held open, and a name in it.
///
/// Somebody who may write on the way there could put another folder in its place between two steps, and have a program of more
/// rights than his make, replace or remove a file elsewhere. So the path is walked once, and all steps are taken from the folder.
struct MarkerPlace: ~Copyable {
    private let folder: Descriptor
    let name: Path

    /// - Throws: what open(2) says of the folder; `ENOENT` for a path that is empty or ends in a slash.
    init(of path: Path) throws(Errno) {
        guard !path.lastName.bytes.isEmpty else { throw Errno.noSuchFileOrDirectory }
        folder = try Descriptor.open(path.folder, flags: O_PATH | O_DIRECTORY)
        name = path.lastName
    }

    /// The place where a file is now, whatever links led to it.
    init(of file: borrowing Descriptor) throws(Errno) { try self.init(of: try file.currentPath()) }

    /// Whether a file is still there.
    func holds(_ file: FileStatus) -> Bool { (try? FileStatus(path: path, followLinks: false))?.isSameFile(as: file) ?? false }

    /// For system calls: no walk, but one step from the folder. See proc_pid_fd(5).
    var path: Path { inFolder(name) }

    /// The same of another name in the folder.
    func inFolder(_ name: Path) -> Path { Path("/proc/self/fd/\(folder.raw)") / name }

    /// - Throws: `EOPNOTSUPP` where a network would be other machines' too.
    func requireOneKernel() throws(Errno) { try FileSystem(of: folder).requireOneKernel() }

    /// Binds a marker there, whatever the length of its name.
    /// - Throws: `EADDRINUSE` where something is there.
    func bind(_ marker: borrowing Descriptor) throws(Errno) {
        let room = MemoryLayout.size(ofValue: sockaddr_un().sun_path)
        guard path.bytes.count >= room else { return try bind(marker, at: path) }
        // A name that fits no address: bound under another, it is then given its own, unless somebody has that.
        try bindInPassing(marker) { passing in linux_rename_new(passing.terminated, path.terminated) }
    }

    /// Binds a marker under a passing name, and puts it in the place of what is there, in one step: a socket cannot be bound to an
    /// inode that exists.
    /// - Parameter mode: the file's.
    func replace(by marker: borrowing Descriptor, mode: mode_t) throws(Errno) {
        try bindInPassing(marker) { passing in
            step("take over: marker bound, not renamed")
            guard let own = try? Self.ownSocket(at: passing), chmod("/proc/self/fd/\(own.raw)", mode & 0o7777) == 0 else { return -1 }
            return rename(passing.terminated, path.terminated)
        }
    }

    private func bindInPassing(_ marker: borrowing Descriptor, _ giveName: (Path) -> CInt) throws(Errno) {
        let passing = PassingName(in: self)
        passing.clearLeftovers()
        try bind(marker, at: passing.path)
        do throws(Errno) {
            _ = try systemCall { giveName(passing.path) }
        } catch {
            _ = unlink(passing.path.terminated)
            throw error == .fileExists ? .addressInUse : error
        }
    }

    private func bind(_ marker: borrowing Descriptor, at path: Path) throws(Errno) {
        let raw = marker.raw
        _ = try withSocketAddress(path) { address, length in linux_bind(raw, address, length) }
    }

    /// What we have just bound here.
    func ownSocket() throws(Errno) -> Descriptor { try Self.ownSocket(at: path) }

    /// - Throws: `EPERM` where it is not ours: somebody who may write to the folder could have put something else there.
    private static func ownSocket(at path: Path) throws(Errno) -> Descriptor {
        let file = try Descriptor.open(path, flags: O_PATH | O_NOFOLLOW)
        let status = try file.status()
        guard status.isSocket, status.owner == geteuid() else { throw Errno.notPermitted }
        return file
    }

    /// Takes away what we have bound here.
    func clear() {
        guard (try? ownSocket()) != nil else { return }
        _ = unlink(path.terminated)
    }
}
