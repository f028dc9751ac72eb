import Foundation
import Glibc
import Media

/// The list of segments, as JSON in a file that is replaced in one step: whoever reads it finds a whole one.
struct SegmentIndex {
    struct Entry: Codable, Equatable {
        /// Why a segment ended.
        enum End: String, Codable {
            /// It has not.
            case recording
            case segment, stream, replaced, duration, stopped, disk, failed
            /// Its recorder vanished.
            case killed
        }

        /// From the index's folder on.
        var name: String
        var start: Date
        var end: Date?
        var bytes: UInt64
        var streams: [String]
        var ended: End
    }

    private struct File: Codable {
        var version = 1
        var segments: [Entry]
    }

    let path: String
    private let folder: String
    private(set) var entries: [Entry] = []
    private var hasComplained = false

    /// Reads what is there.
    /// - Throws: `.alreadyExists` where that is something else.
    init(path: String) throws(MediaError) {
        self.path = path
        folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        guard let data = FileManager.default.contents(atPath: path) else { return }
        do {
            entries = try Self.decoder.decode(File.self, from: data).segments
        } catch {
            throw MediaError(
                .alreadyExists, object: path, what: "not a list of segments", remedy: "remove it, or name another with --index")
        }
    }

    /// Closed ones, oldest first.
    var closed: [Entry] { entries.filter { $0.ended != .recording } }

    mutating func add(_ path: String, _ streams: [StreamDescription]) {
        let name = name(of: path)
        entries.removeAll { $0.name == name }
        entries.append(
            Entry(name: name, start: Date(), end: nil, bytes: 0, streams: streams.map(\.description), ended: .recording))
        save()
    }

    mutating func close(_ path: String, _ why: Entry.End, bytes: UInt64, at end: Date = Date()) {
        let name = name(of: path)
        guard let position = entries.lastIndex(where: { $0.name == name }) else { return }
        entries[position].end = end
        entries[position].bytes = bytes
        entries[position].ended = why
        save()
    }

    /// Removes the oldest segment that is over, and its file.
    /// - Returns: its path; nil where there is none.
    mutating func removeOldest() -> String? {
        guard let position = entries.firstIndex(where: { $0.ended != .recording }) else { return nil }
        let path = self.path(of: entries.remove(at: position))
        if unlink(path) != 0, errno != ENOENT { say("\(path): cannot be removed: \(String(cString: strerror(errno)))") }
        save()
        return path
    }

    /// A list may have been written by anybody: what it names outside its folder is not ours to remove.
    mutating func dropStrangers() {
        let isElsewhere = !folder.isEmpty
        entries.removeAll { $0.name.hasPrefix("/") && isElsewhere || $0.name.split(separator: "/").contains("..") }
    }

    func path(of entry: Entry) -> String { entry.name.hasPrefix("/") ? entry.name : folder + entry.name }

    private func name(of path: String) -> String { !folder.isEmpty && path.hasPrefix(folder) ? String(path.dropFirst(folder.count)) : path }

    /// Says once that it cannot: the recording is worth more than its list.
    private mutating func save() {
        do {
            let data = try Self.encoder.encode(File(segments: entries))
            try data.write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            if !hasComplained { say("\(path): the list of segments cannot be written; the recording goes on") }
            hasComplained = true
        }
    }

    private static let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    private static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(date.formatted(style))
        }
        return encoder
    }

    private static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            try style.parse(try decoder.singleValueContainer().decode(String.self))
        }
        return decoder
    }
}
