import Glibc
package import Media

/// Files on this machine, as far as libavformat's addresses leave them to us.
package enum LocalFile {
    /// A path that exists is a file, even if it looks like `name:rest`.
    static func address(of url: String) -> String {
        url.contains(":") && !url.hasPrefix("file:") && exists(url) ? "file:" + url : url
    }

    /// The part in front of `:`, lower case, if it looks like a protocol's name; nil for a path.
    static func scheme(of url: String) -> String? {
        guard let colon = url.firstIndex(of: ":"), colon != url.startIndex else { return nil }
        let name = url[..<colon]
        guard
            name.utf8.allSatisfy({
                (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) || $0 == 0x2b || $0 == 0x2d || $0 == 0x2e
            })
        else { return nil }
        return name.lowercased()
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Whether it is a file with contents that would be lost; a device or a pipe is not.
    static func isRegularFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    static func isMissingOrEmpty(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG && status.st_size == 0
    }

    /// For files whose muxer does not tell that it cannot write them: files come and go in their folder.
    /// - Throws: `.permissionDenied`, `.notFound`.
    static func requireWritable(_ path: String) throws(MediaError) {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        // Root may do all but what the disk refuses, which this sees as well.
        guard access(folder, W_OK | X_OK) == 0 else { throw failure(errno, .cannotOpen, path, "cannot be written there") }
        guard access(path, F_OK) != 0 || access(path, W_OK) == 0 else { throw failure(errno, .cannotOpen, path, "cannot be written") }
    }

    static func remove(_ path: String) { unlink(path) }

    /// Makes the folder that `path` lies in, and those above it.
    package static func makeFolder(of path: String) throws(MediaError) {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return }
        let folder = String(path[..<slash])
        guard !exists(folder) else { return }
        try makeFolder(of: folder)
        guard mkdir(folder, 0o777) == 0 || errno == EEXIST else { throw failure(errno, .cannotOpen, folder, "the folder cannot be made") }
    }

    /// What errno says of a file.
    /// - Parameter otherwise: the code where errno says nothing better.
    static func failure(_ number: CInt, _ otherwise: MediaError.Code, _ path: String, _ what: String) -> MediaError {
        let (code, remedy): (MediaError.Code, String) =
            switch number {
            case EACCES, EPERM, EROFS: (.permissionDenied, "check the rights of file and folder")
            case ENOSPC, EDQUOT: (.diskFull, "free some space, or write elsewhere")
            case ENOENT: (.notFound, "check the path")
            default: (otherwise, "")
            }
        return MediaError(code, object: path, what: what, remedy: remedy, cause: String(cString: strerror(number)))
    }
}
