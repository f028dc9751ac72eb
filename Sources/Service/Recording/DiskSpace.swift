import Glibc
import Media

/// What a disk has left, as statvfs(3) tells it to whoever is not root.
struct DiskSpace {
    /// Bytes.
    let total: UInt64
    let available: UInt64

    /// - Parameter path: a file on it. Nil where nobody knows.
    init?(at path: String) {
        var status = statvfs()
        guard statvfs(path, &status) == 0, status.f_blocks > 0 else { return nil }
        total = UInt64(status.f_blocks) * UInt64(status.f_frsize)
        available = UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }

    /// What a recording leaves free: it takes room to end a file well, and a full disk is nobody's friend.
    var reserve: UInt64 { min(64 << 20, total / 16) }

    /// Whether there is less left than the reserve, and than what is still to be written.
    func isNearlyFull(owing bytes: UInt64 = 0) -> Bool { available < reserve + bytes }

    /// What has ended before the disk was full, so that it ended well.
    /// - Parameter what: `the recording`.
    func shortage(_ path: String, ended what: String, remedy: String) -> MediaError {
        MediaError(
            .diskFull, object: path, what: "no space left but a reserve of \(reserve >> 10) KiB: \(what) has ended there",
            remedy: "free some space, or \(remedy)")
    }

    static func size(of path: String) -> UInt64 {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG ? UInt64(status.st_size) : 0
    }
}
