import Foundation
import Service

/// Networks and their nodes as lines, for 80 columns.
enum TopTable {
    static func screenSize() -> (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 1 else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// - Parameter size: of a screen that nothing may run out of; nil for lines of any length.
    static func lines(_ networks: [TopSample.Network], size: (columns: Int, rows: Int)?) -> [String] {
        var lines: [String] = networks.isEmpty ? ["no network of yours is here"] : []
        for network in networks {
            let figures =
                "  \(network.lossless ? "lossless" : "lossy")  \(network.writers) w  \(network.readers) r"
                + "  \(count(network.rate))/s  \(count(network.bytesRate))B/s  \(network.messages) messages  \(network.lost) lost"
            lines.append(end(of: shown(network.path), in: size.map { $0.columns - figures.count }) + figures)
            if !network.nodes.isEmpty {
                lines.append(row("RW", "PID", "MSG/S", "B/S", "LOST", "MISS", "PEND", "P50", "P99", "SKEW", "DESCRIPTION"))
            }
            for node in network.nodes {
                lines.append(
                    row(
                        (node.receives ? "r" : "-") + (node.sends ? "w" : "-"), "\(node.pid)", count(node.rate), count(node.bytesRate),
                        count(Double(node.lost)), time(node.lostSeconds.map { $0 * 1000 }), count(Double(node.pending)),
                        time(node.delay?.p50), time(node.delay?.p99), time(node.delay?.skew),
                        fitted(shown(node.description), to: size.map { $0.columns - columnsBefore })))
            }
        }
        guard let size else { return lines }
        return lines.prefix(size.rows - 1).map { String($0.prefix(size.columns)) }
    }

    private static let widths = [2, 7, 5, 5, 5, 5, 5, 5, 5, 6]
    /// Those that a row has before its description.
    private static let columnsBefore = 1 + widths.reduce(0) { $0 + $1 + 1 }

    /// A description with less of what can be done without: of a publisher its codecs and the size remain, of others the end, which is the
    /// file's name.
    /// - Parameter room: columns; nil for as many as it takes.
    static func fitted(_ description: String, to room: Int?) -> String {
        guard let room, description.count > room else { return description }
        let text = description.hasPrefix("ipn ") ? String(description.dropFirst(4)) : description
        guard text.count > room, room > 1 else { return String(text.prefix(max(0, room))) }
        let words = text.split(separator: " ")
        if let size = words.firstIndex(where: { $0.wholeMatch(of: /[0-9]+x[0-9]+,?/) != nil }), size > 0 {
            let streams = words[(size - 1)...].joined(separator: " ")
            return streams.count + 2 <= room ? "… \(streams)" : String(streams.prefix(room))
        }
        return end(of: text, in: room)
    }

    /// What is last in a path tells more than what is first.
    static func end(of text: String, in room: Int?) -> String {
        guard let room, text.count > room else { return text }
        return room > 1 ? "…" + text.suffix(room - 1) : String(text.suffix(max(0, room)))
    }

    private static func row(_ cells: String...) -> String {
        let numbers = zip(cells, widths).map { String(repeating: " ", count: max(0, $1 - $0.count)) + $0 }
        return " " + (numbers + cells.suffix(1)).joined(separator: " ")
    }

    /// In five columns: `25.0`, `9999`, `13.9M`. Any number: what a hostile node says is shown as well.
    static func count(_ value: Double) -> String {
        var value = value
        if value < 999.95 { return value == value.rounded() ? value.rounded(to: 0) : value.rounded(to: 1) }
        if value < 9999.5 { return value.rounded(to: 0) }
        for unit in ["k", "M", "G", "T", "P"] {
            value /= 1000
            if value < 999.5 { return value.rounded(to: value < 99.95 ? 1 : 0) + unit }
        }
        return "huge"
    }

    /// Milliseconds in five columns, six with a sign: `0`, `850us`, `1.2ms`, `150ms`, `2.1s`.
    static func time(_ milliseconds: Double?) -> String {
        guard let milliseconds else { return "-" }
        let sign = milliseconds < 0 ? "-" : ""
        let value = milliseconds.magnitude
        if value == 0 { return "0" }
        if value < 0.9995 { return sign + (value * 1000).rounded(to: 0) + "us" }
        if value < 999.5 { return sign + value.rounded(to: value < 9.95 ? 1 : 0) + "ms" }
        if value < 9_999_500 { return sign + (value / 1000).rounded(to: value < 99_950 ? 1 : 0) + "s" }
        return sign + "long"
    }
}
