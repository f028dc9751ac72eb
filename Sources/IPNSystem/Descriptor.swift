package import SystemPackage
package import CLinux
import Glibc

/// An open file descriptor with one owner, closed when it goes.
package struct Descriptor: ~Copyable, Sendable {
    package let raw: CInt

    /// Takes over a descriptor, which must be open and nobody else's to close. Its number may be another from here on: see `raw`.
    package init(owning number: CInt) {
        precondition(number >= 0)
        raw = linux_own(number)
    }

    /// Takes over a descriptor that is made for the program: its number is what the system chose.
    package init(forProgram number: CInt) {
        precondition(number >= 0)
        raw = number
    }

    deinit {
        linux_disown(raw)
        // close(2) is never repeated: on Linux the descriptor is gone whatever it returns.
        _ = close(raw)
    }

    /// Gives the descriptor away, open.
    package consuming func release() -> CInt {
        let raw = raw
        linux_disown(raw)
        discard self
        return raw
    }

    /// A second descriptor of the same description, not inherited by programs that are started.
    package borrowing func duplicate() throws(Errno) -> Descriptor {
        let raw = raw
        return Descriptor(owning: try systemCall { linux_fcntl(raw, F_DUPFD_CLOEXEC, 0) })
    }

    /// open(2), always with `O_CLOEXEC`.
    package static func open(_ path: some FileName, flags: CInt, mode: mode_t = 0) throws(Errno) -> Descriptor {
        let name = path.terminated
        return Descriptor(owning: try systemCall { linux_open(name, flags | O_CLOEXEC, mode) })
    }

    /// The path that the file has now, symbolic links resolved. See proc_pid_fd(5).
    package borrowing func currentPath() throws(Errno) -> Path {
        let link = "/proc/self/fd/\(raw)"
        var name = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let length = try systemCall { readlink(link, &name, Int(PATH_MAX)) }
        return Path(name[..<length].map(UInt8.init(bitPattern:)))
    }

    /// Removes the name that the file has now, unless another file has it.
    package borrowing func unlinkCurrentName() {
        guard let path = try? currentPath(), let own = try? status() else { return }
        // In its folder, whatever comes to lie on the way there meanwhile.
        guard let folder = try? Descriptor.open(path.folder, flags: O_PATH | O_DIRECTORY) else { return }
        let name = path.lastName.terminated
        var present = stat()
        guard fstatat(folder.raw, name, &present, AT_SYMLINK_NOFOLLOW) == 0, FileStatus(present).isSameFile(as: own) else { return }
        _ = unlinkat(folder.raw, name, 0)
    }

    /// fstat(2).
    package borrowing func status() throws(Errno) -> FileStatus { try FileStatus(descriptor: raw) }

    /// Bytes of a file that are really there; 0 where it cannot tell.
    package borrowing func allocatedBytes() -> Int {
        var status = stat()
        // Always in units of 512, see stat(3type).
        return fstat(raw, &status) == 0 ? Int(status.st_blocks) * 512 : 0
    }
}

/// What stat(2) tells that the bus decides by.
package struct FileStatus: Sendable {
    package let device: UInt64
    package let inode: UInt64
    /// Type and permission bits, as in `st_mode`.
    package let mode: mode_t
    package let owner: uid_t
    package let group: gid_t
    package let size: Int64
    /// Names that the file has; 0 once it was unlinked.
    package let linkCount: Int
    /// When the inode was last changed: CLOCK_REALTIME, nanoseconds.
    package let changeTime: UInt64

    package var isSocket: Bool { mode & Glibc.S_IFMT == Glibc.S_IFSOCK }
    package var isRegularFile: Bool { mode & Glibc.S_IFMT == Glibc.S_IFREG }
    package var isDirectory: Bool { mode & Glibc.S_IFMT == Glibc.S_IFDIR }

    package init(descriptor: CInt) throws(Errno) {
        var status = stat()
        _ = try systemCall { fstat(descriptor, &status) }
        self.init(status)
    }

    /// stat(2) of a path, symbolic links followed; with `followLinks: false` lstat(2).
    package init(path: some FileName, followLinks: Bool = true) throws(Errno) {
        var status = stat()
        let name = path.terminated
        _ = try systemCall { followLinks ? stat(name, &status) : lstat(name, &status) }
        self.init(status)
    }

    fileprivate init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        mode = status.st_mode
        owner = status.st_uid
        group = status.st_gid
        size = Int64(status.st_size)
        linkCount = Int(status.st_nlink)
        changeTime = UInt64(status.st_ctim.tv_sec) &* 1_000_000_000 &+ UInt64(status.st_ctim.tv_nsec)
    }

    package func isSameFile(as other: FileStatus) -> Bool { device == other.device && inode == other.inode }
}
