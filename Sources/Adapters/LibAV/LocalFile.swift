import Glibc
import Media

/// Files on this machine, as far as libavformat's addresses leave them to us.
enum LocalFile {
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

    static func isEmpty(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_size == 0
    }

    static func remove(_ path: String) { unlink(path) }

    /// Makes the folder that `path` lies in, and those above it.
    static func makeFolder(of path: String) throws(MediaError) {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return }
        let folder = String(path[..<slash])
        guard !exists(folder) else { return }
        try makeFolder(of: folder)
        guard mkdir(folder, 0o777) == 0 || errno == EEXIST else {
            let number = errno
            throw MediaError(
                number == EACCES ? .permissionDenied : number == ENOSPC ? .diskFull : .cannotOpen, object: folder,
                what: "the folder cannot be made", cause: String(cString: strerror(number)))
        }
    }
}
