import IPN
import Media

/// Places in what the publisher keeps.
extension Consumer where Sink: ~Copyable {
    /// Goes to where the user wants to begin. On a LOSSLESS network nobody goes back, and all that is kept is received.
    mutating func beginInHistory() throws {
        guard settings.join != .next, settings.join != .all, !node.options.isLossless else { return }
        let points = try lookThroughHistory()
        if let point = points.point(for: settings.join, now: monotonicNanoseconds()) {
            _ = node.seek(to: point.description, of: point.sender)
        } else if let description = points.description {
            // The key frame is still to come; the description was sent for us.
            _ = node.seek(to: description.sequence, of: description.sender)
        }
        // Where the publisher has gone on meanwhile, its new key frame is before us.
    }

    /// Looks at all that waits, and passes over it.
    private mutating func lookThroughHistory() throws -> EntryPoints {
        var points = EntryPoints()
        var left = node.pendingCount
        while left > 0, let message = try node.begin(timeout: .zero) {
            defer { node.end(message) }
            if let counts = message.numberOfNodes {
                meter.progress.readers = counts.readers
                continue
            }
            left -= 1
            points.note(RawSpan(_unsafeBytes: message.bytes), sender: message.sender, sequence: message.sequence)
        }
        return points
    }
}
