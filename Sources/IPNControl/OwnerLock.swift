package import CLinux
import Glibc
package import IPNSystem
package import SystemPackage

/// The lock under which a user's networks are made and taken over. Released when it goes. See flock(2).
package struct OwnerLock: ~Copyable {
    private let file: Descriptor

    /// Waits for one's own lock.
    package init() throws(Errno) {
        let file = try RuntimeFolder.lockFile(of: geteuid())
        let raw = file.raw
        _ = try systemCall(sleeps: true) { flock(raw, LOCK_EX) }
        self.file = file
    }

    /// Keeps the lock alive up to here.
    package borrowing func touch() {}
}

/// The lock under which one network is given another keeper, or loses its last: a byte of the owner's lock file for each
/// inode, so that networks do not wait for each other. See fcntl(2), open file description locks.
package struct ElectionLock: ~Copyable {
    private let file: Descriptor

    /// - Throws: `EAGAIN` where somebody has it and `waiting` is false.
    package init(of marker: FileStatus, waiting: Bool) throws(Errno) {
        let file = try RuntimeFolder.lockFile(of: marker.owner)
        let raw = file.raw
        _ = try systemCall(sleeps: waiting) { linux_lock_byte(raw, off_t(truncatingIfNeeded: marker.inode & UInt64(Int64.max)), waiting ? 1 : 0) }
        self.file = file
    }

    /// Keeps the lock alive up to here.
    package borrowing func touch() {}
}
