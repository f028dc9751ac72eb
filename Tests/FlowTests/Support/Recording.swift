import Foundation

/// What ffmpeg finds in a recording.
struct Recording: Sendable {
    struct Packet: Sendable, Equatable {
        /// Seconds.
        let pts: Double
        let isKey: Bool
        let size: Int
    }

    let path: String
    let scratch: Scratch

    init(_ name: String, in scratch: Scratch) {
        path = name.hasPrefix("/") || name.contains("://") ? name : scratch.file(name)
        self.scratch = scratch
    }

    /// ffmpeg's framecrc of a stream's packets: `v`, `a`, `s`.
    func checksums(_ stream: String) async throws -> [String] {
        try await tool("ffmpeg", "-v", "error", "-i", path, "-map", "0:\(stream)", "-c", "copy", "-f", "framecrc", "-", in: scratch)
            .split(separator: "\n").filter { !$0.hasPrefix("#software") }.map(String.init)
    }

    /// Without the time stamps: for containers that know coarser ones.
    func contents(_ stream: String) async throws -> [String] {
        try await checksums(stream).filter { !$0.hasPrefix("#") }.map { line in
            line.split(separator: ",").suffix(from: 4).prefix(2).joined()
        }
    }

    func packets(_ stream: String = "v") async throws -> [Packet] {
        let text = try await tool(
            "ffprobe", "-v", "error", "-select_streams", stream, "-show_entries", "packet=pts_time,flags,size", "-of", "csv=p=0",
            path, in: scratch)
        return text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ",")
            guard fields.count >= 3, let pts = Double(fields[0]), let size = Int(fields[1]) else { return nil }
            return Packet(pts: pts, isKey: fields[2].hasPrefix("K"), size: size)
        }
    }

    func codecs() async throws -> [String] {
        let lines = try await tool("ffprobe", "-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0", path, in: scratch)
        // A transport stream tells of each twice: by itself and in its program.
        var codecs: [String] = []
        for line in lines.split(separator: "\n").map(String.init) where !codecs.contains(line) { codecs.append(line) }
        return codecs
    }

    /// Decodes all of it; whatever ffmpeg complains of is thrown.
    func play() async throws {
        let program = try Program(
            ["ffmpeg", "-v", "error", "-xerror", "-err_detect", "explode", "-i", path, "-map", "0", "-f", "null", "-"], in: scratch)
        try await program.succeeded()
        guard program.complaint.isEmpty else { throw Program.Failure(description: "\(path): \(program.complaint)") }
    }

    /// Seconds from picture to picture.
    func steps() async throws -> [Double] {
        let times = try await packets().map(\.pts).sorted()
        return zip(times, times.dropFirst()).map { $1 - $0 }
    }

    /// What keeps it from being pictures at a steady rate without a gap, from a key frame near 0 on.
    /// - Parameter beginsAnywhere: for containers whose time stamps begin where they like.
    func flaws(rate: Double = 25, beginsAnywhere: Bool = false) async throws -> [String] {
        let packets = try await packets()
        guard let first = packets.first else { return ["no packets"] }
        var flaws: [String] = []
        if !first.isKey { flaws.append("begins without a key frame") }
        if !beginsAnywhere && !(0..<0.5).contains(first.pts) { flaws.append("begins at \(first.pts)") }
        let times = packets.map(\.pts).sorted()
        // mkv rounds to milliseconds.
        for (one, next) in zip(times, times.dropFirst()) where abs(next - one - 1 / rate) > 0.0021 {
            flaws.append("from \(one) to \(next)")
        }
        return flaws
    }
}
