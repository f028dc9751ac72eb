import Glibc
public import Media

/// How a playlist is gone through.
public struct PlaylistSettings: Sendable, Hashable {
    /// Begin again at the end, for ever.
    public var loops = false
    /// Where in the first part to begin, at the key frame before, in nanoseconds.
    public var start: Int64 = 0
    /// How long a picture is shown, in nanoseconds; nil for five seconds.
    public var slide: Int64?
    /// Wait for an address that cannot be reached, or breaks off, until it is there.
    public var waits = false

    public init() {}

    /// How long a picture is shown, in nanoseconds.
    public var pictureLength: Int64 { slide ?? 5_000_000_000 }

    /// libavformat's for a single picture: one in so much time, and no pattern of names.
    var pictureOptions: [(key: String, value: String)] {
        [("framerate", "1000/\(max(1, pictureLength / 1_000_000))"), ("pattern_type", "none")]
    }
}

/// A part of a playlist.
public struct PlaylistPart: Sendable, Hashable {
    /// A path, an address as libavformat understands it, or `-` for standard input.
    public let address: String

    public init(_ address: String) { self.address = address }

    /// A picture file, which is shown for a while.
    public var isPicture: Bool {
        guard LocalFile.scheme(of: address) == nil || LocalFile.exists(address) else { return false }
        return ["jpg", "jpeg", "png", "bmp", "webp", "tif", "tiff", "ppm", "pgm"].contains(Self.ending(of: address))
    }

    /// A file in which all is there; others may still be writing what a list of HLS names.
    var isFile: Bool { LocalFile.isRegularFile(address) && Self.ending(of: address) != "m3u8" }

    /// Not of this machine's files: it may go away and come back.
    public var isRemote: Bool {
        guard !LocalFile.exists(address), let scheme = LocalFile.scheme(of: address) else { return false }
        return !["file", "pipe", "fd", "concat", "concatf", "data"].contains(scheme)
    }

    /// The parts that inputs stand for: a playlist of local files (`.m3u`, `.m3u8`) for its lines, a folder of pictures for
    /// these, in order of their names, and everything else for itself. A playlist of HLS is one address, as libavformat has it.
    /// - Throws: `.noStreams` for an empty playlist, `.permissionDenied`, … for one that cannot be read.
    public static func parts(of inputs: [String]) throws(MediaError) -> [PlaylistPart] {
        var parts: [PlaylistPart] = []
        for input in inputs {
            if ["m3u", "m3u8"].contains(ending(of: input)), LocalFile.isRegularFile(input) {
                let lines = try lines(of: input)
                if lines.contains(where: { $0.hasPrefix("#EXT-X-") }) {
                    parts.append(PlaylistPart(input))
                } else {
                    parts += try entries(lines, of: input)
                }
            } else {
                let pictures = pictures(in: input)
                parts += pictures.isEmpty ? [PlaylistPart(input)] : pictures
            }
        }
        return parts
    }

    private static func entries(_ lines: [String], of playlist: String) throws(MediaError) -> [PlaylistPart] {
        let folder = playlist.lastIndex(of: "/").map { String(playlist[...$0]) } ?? ""
        let entries = lines.filter { !$0.isEmpty && !$0.hasPrefix("#") }.map { line in
            PlaylistPart(line.hasPrefix("/") || line.contains("://") ? line : folder + line)
        }
        guard !entries.isEmpty else { throw MediaError(.noStreams, object: playlist, what: "a playlist with nothing in it") }
        return entries
    }

    /// At most a megabyte: what is longer was not written by hand.
    private static func lines(of path: String) throws(MediaError) -> [String] {
        guard let file = fopen(path, "re") else { throw LocalFile.failure(errno, .cannotOpen, path, "cannot be opened") }
        defer { fclose(file) }
        let octets = [UInt8](unsafeUninitializedCapacity: 1 << 20) { buffer, count in count = fread(buffer.baseAddress, 1, buffer.count, file) }
        let text = octets.starts(with: [0xef, 0xbb, 0xbf]) ? octets[3...] : octets[...]
        return String(decoding: text, as: UTF8.self).split(omittingEmptySubsequences: false) { $0.isNewline }.map { line in
            String(line.drop { $0 == " " || $0 == "\t" })
        }
    }

    private static func pictures(in folder: String) -> [PlaylistPart] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            names.append(withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } })
        }
        let prefix = folder.hasSuffix("/") ? folder : folder + "/"
        return names.sorted().map { PlaylistPart(prefix + $0) }.filter { $0.isPicture && LocalFile.isRegularFile($0.address) }
    }

    private static func ending(of path: String) -> String {
        guard let dot = path.lastIndex(of: "."), path.lastIndex(of: "/").map({ $0 < dot }) ?? true else { return "" }
        return path[path.index(after: dot)...].lowercased()
    }
}
