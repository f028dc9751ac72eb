import Glibc

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

    static func size(of path: String) -> UInt64 {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG ? UInt64(status.st_size) : 0
    }
}
