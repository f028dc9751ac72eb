import IPN
import Media

/// Places in what the publisher keeps.
extension Consumer where Sink: ~Copyable {
    /// Goes to where the user wants to begin. On a LOSSLESS network nobody goes back, and all that is kept is received.
    mutating func beginInHistory() throws {
        guard settings.join != .next, settings.join != .all, !node.options.isLossless else { return }
        var points = EntryPoints()
        try look(through: &points)
        if let point = points.point(for: settings.join, now: monotonicNanoseconds()) {
            _ = node.seek(to: point.description, of: point.sender)
        } else if let description = points.description {
            // The key frame is still to come; the description was sent for us.
            _ = node.seek(to: description.sequence, of: description.sender)
        }
        // Where the publisher has gone on meanwhile, its new key frame is before us.
    }

    /// Goes to where a joiner would begin: to a newer key frame that is there already, or else back to the last one, where the
    /// publisher keeps it.
    mutating func returnToNewest() throws {
        guard settings.join != .next, !node.options.isLossless, gate.epoch != 0 else { return }
        if try skipToNewest() { return }
        guard let lastKey, node.seek(to: lastKey.sequence, of: lastKey.sender) else { return }
        gate.beginAnew()
        lastEnd = nil
        joined = monotonicNanoseconds()
    }

    /// Goes to the newest key frame of the publication that is there already; where none is, goes on from here.
    /// - Returns: whether one was.
    @discardableResult
    mutating func skipToNewest() throws -> Bool {
        wantsNewest = false
        var points = EntryPoints(epoch: gate.epoch, streams: gate.streams)
        let (first, lost) = try look(through: &points)
        // What is overwritten while we look is lost all the same.
        meter.progress.lost += lost
        if let point = points.points.last, point.epoch == gate.epoch, node.seek(to: point.key, of: point.sender) {
            meter.progress.passedOver += point.key - min(first?.sequence ?? point.key, point.key)
            return true
        }
        if let first { _ = node.seek(to: first.sequence, of: first.sender) }
        return false
    }

    /// Looks at all that waits, and passes over it.
    /// - Returns: the first message, and how many were lost on the way.
    @discardableResult
    private mutating func look(through points: inout EntryPoints) throws -> (first: (sequence: UInt64, sender: UInt64)?, lost: UInt64) {
        var first: (sequence: UInt64, sender: UInt64)?
        var lost: UInt64 = 0
        var left = node.pendingCount
        while left > 0, let message = try node.begin(timeout: .zero) {
            defer { node.end(message) }
            if let counts = message.numberOfNodes {
                meter.progress.readers = counts.readers
                continue
            }
            left -= 1
            lost += message.lost
            first = first ?? (message.sequence, message.sender)
            points.note(RawSpan(_unsafeBytes: message.bytes), sender: message.sender, sequence: message.sequence)
        }
        return (first, lost)
    }
}
