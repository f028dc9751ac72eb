import Glibc
import Media

/// A file that is being written, and nobody else's as long: by a lock (flock(2)), which the kernel takes back from whoever is killed.
package struct FileClaim: ~Copyable {
    private let descriptor: CInt
    /// Nothing was there before.
    let isNew: Bool

    /// Takes a file before anything of it is thrown away, or makes an empty one.
    /// - Parameter overwrite: whether one that is there may be replaced.
    /// - Returns: nil for what is no file (a device, a pipe), and where it cannot be opened: whoever writes will be told why.
    /// - Throws: `.alreadyExists`; `.cannotOpen` where somebody writes it now.
    static func of(_ path: String, overwrite: Bool, object: String) throws(MediaError) -> FileClaim? {
        guard !LocalFile.exists(path) || LocalFile.isRegularFile(path) else { return nil }
        // Two that begin at the same moment: one makes the file, and the other finds it.
        var descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        let isNew = descriptor >= 0
        if !isNew, errno == EEXIST {
            guard overwrite || !LocalFile.isRegularFile(path) else { throw exists(object) }
            // Also where a link leads to.
            descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o666)
        }
        guard descriptor >= 0 else { return nil }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
            Glibc.close(descriptor)
            throw MediaError(.cannotOpen, object: object, what: "is being recorded by another program", remedy: "name another file")
        }
        return FileClaim(descriptor, isNew: isNew)
    }

    static func exists(_ object: String) -> MediaError {
        MediaError(.alreadyExists, object: object, what: "the file exists", remedy: "name another, or allow overwriting")
    }

    private init(_ descriptor: CInt, isNew: Bool) {
        self.descriptor = descriptor
        self.isNew = isNew
    }

    deinit { Glibc.close(descriptor) }

    /// Whether somebody writes that file now.
    package static func isHeld(_ path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return false }
        defer { Glibc.close(descriptor) }
        return flock(descriptor, LOCK_EX | LOCK_NB) != 0
    }
}
