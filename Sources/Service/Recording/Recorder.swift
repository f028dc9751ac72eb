import Foundation
import Glibc
import LibAV
package import Media

/// Writes a publication into files, as it is. What the next publisher on the same network sends goes into a file of its own
/// (`copy.mkv`, `copy-2.mkv`, ...), as a container cannot change its streams in the middle; so does, if asked for, each
/// segment.
package struct Recorder: ~Copyable, ConsumerSink {
    private let settings: RecordSettings
    private let stop: StopFlag
    private let begun = monotonicNanoseconds()
    private var name: SegmentName
    private var index: SegmentIndex?
    private var streams: [StreamDescription] = []
    private var cutter = SegmentCutter([], length: nil)
    private var notes = TimeNotes("", [])
    private var current: Segment?
    /// Open until all streams have reached the cut.
    private var previous: Segment?
    /// A publication of which nothing has been written: a file is opened, or replaced, only for what goes into it.
    private var isAnnounced = false
    /// A file could not be ended well: the next begins at a key frame.
    private var awaitsKey = false
    /// Bytes since the disk was looked at.
    private var unwatched: UInt64 = .max
    package private(set) var hasTaken = false

    /// - Throws: `.alreadyExists` where the index is something else, or another recorder's.
    package init(_ settings: RecordSettings, stop: StopFlag) throws(MediaError) {
        self.settings = settings
        self.stop = stop
        name = SegmentName(pattern: settings.pattern, overwrite: settings.overwrite)
        guard let path = settings.index else { return }
        var index = try SegmentIndex(path: path)
        try Self.adopt(&index)
        self.index = index
    }

    package mutating func begin(_ streams: [StreamDescription]) throws(MediaError) {
        try close(.replaced)
        self.streams = try settings.chosen(of: streams)
        cutter = SegmentCutter(self.streams, length: settings.segment)
        notes = TimeNotes(settings.pattern, self.streams)
        isAnnounced = true
        awaitsKey = false
    }

    package mutating func write(_ packet: CodedPacket, _ bytes: RawSpan) throws(MediaError) {
        hasTaken = false
        guard streams.contains(where: { $0.index == packet.stream }) else { return }
        if awaitsKey {
            guard packet.stream == cutter.lead, packet.isKey else { return }
            awaitsKey = false
        }
        notes.look(at: packet)
        do throws(MediaError) {
            try place(packet, bytes)
            unwatched = unwatched.addingReportingOverflow(UInt64(bytes.byteCount)).partialValue
            if unwatched >= 1 << 16 { try watchDisk() }
        } catch {
            guard error.code == .diskFull, current != nil, makeRoom() else { throw error }
            try? close(.disk)
            isAnnounced = true
            awaitsKey = true
        }
    }

    private mutating func place(_ packet: CodedPacket, _ bytes: RawSpan) throws(MediaError) {
        let place = cutter.place(packet)
        if isAnnounced || place == .next { try open() }
        if place == .previous, previous != nil {
            hasTaken = try previous?.write(packet, bytes) ?? false
        } else {
            hasTaken = try current?.write(packet, bytes) ?? false
        }
        if cutter.isSettled, previous != nil { try closePrevious() }
    }

    package mutating func tick() throws(MediaError) -> SinkTick {
        let due = try current?.flushIfDue(monotonicNanoseconds())
        return SinkTick(next: due ?? nil)
    }

    package mutating func finish() throws(MediaError) {
        let isOverTime = settings.duration.map { monotonicNanoseconds() - begun >= $0 } ?? false
        try close(stop.isRaised ? .stopped : isOverTime ? .duration : .stream)
    }

    // MARK: Files

    private mutating func open() throws(MediaError) {
        if previous != nil { try closePrevious() }
        let path = name.next(at: time(nil)) { access($0, F_OK) == 0 }
        if settings.pattern.contains("%") { try LocalFile.makeFolder(of: path) }
        // The old one stays open: sound that belongs to it is still to come.
        previous = current.take()
        isAnnounced = false
        let segment = try Segment(path, settings, streams, stop: stop)
        current = consume segment
        index?.add(path, streams)
        keepWhatIsAskedFor()
        unwatched = .max
    }

    private mutating func closePrevious() throws(MediaError) {
        guard let segment = previous.take() else { return }
        try end(segment, .segment)
    }

    private mutating func close(_ why: SegmentIndex.Entry.End) throws(MediaError) {
        try closePrevious()
        guard let segment = current.take() else { return }
        try end(segment, why)
    }

    private mutating func end(_ segment: consuming Segment, _ why: SegmentIndex.Entry.End) throws(MediaError) {
        do throws(MediaError) {
            let isEmpty = segment.isEmpty
            try segment.finish()
            // A file with nothing in it is none that anybody could play.
            if isEmpty, DiskSpace.size(of: segment.path) > 0 { unlink(segment.path) }
        } catch {
            index?.close(segment.path, error.code == .diskFull ? .disk : .failed, bytes: segment.size)
            throw error
        }
        index?.close(segment.path, why, bytes: segment.size)
        keepWhatIsAskedFor()
    }

    // MARK: How much is kept

    private mutating func keepWhatIsAskedFor() {
        guard let keep = settings.keep, index != nil else { return }
        while let oldest = index?.closed.first {
            switch keep {
            case .time(let limit):
                guard let end = oldest.end, Date().timeIntervalSince(end) * 1e9 > Double(limit) else { return }
            case .bytes(let limit):
                let bytes = index?.closed.reduce(0) { $0 + $1.bytes } ?? 0
                guard bytes + (current?.size ?? 0) > limit else { return }
            }
            _ = index?.removeOldest()
        }
    }

    /// Ends the recording well before the disk is full, or makes room where that was asked for.
    /// - Throws: `.diskFull`.
    private mutating func watchDisk() throws(MediaError) {
        unwatched = 0
        keepWhatIsAskedFor()
        guard let heldBack = current?.heldBack, let path = current?.path, let disk = DiskSpace(at: path),
            disk.isNearlyFull(owing: heldBack), !makeRoom()
        else { return }
        try close(.disk)
        throw disk.shortage(path, ended: "the recording", remedy: "bound it with --keep")
    }

    /// Removes the oldest segments until twice the reserve is free; only where the user lets segments go.
    /// - Returns: whether it is enough to go on.
    private mutating func makeRoom() -> Bool {
        guard settings.keep != nil, index != nil, let path = current?.path else { return false }
        let heldBack = current?.heldBack ?? 0
        var count = 0
        while let disk = DiskSpace(at: path), disk.available < 2 * disk.reserve + heldBack, index?.removeOldest() != nil { count += 1 }
        if count > 0 { say("\(path): the disk is nearly full: the oldest segments were removed, \(count) of them") }
        return DiskSpace(at: path).map { !$0.isNearlyFull(owing: heldBack) } ?? false
    }

    /// Takes over the list of an earlier run: what it did not end is put in order.
    private static func adopt(_ index: inout SegmentIndex) throws(MediaError) {
        index.dropStrangers()
        for entry in index.entries where entry.ended == .recording {
            let path = index.path(of: entry)
            guard !FileClaim.isHeld(path) else {
                throw MediaError(
                    .alreadyExists, object: index.path, what: "another recorder keeps that list", remedy: "name another with --index")
            }
            if let outcome = try? OrdinaryMP4.convert(path), outcome.isConverted { say("\(path): its recorder was killed; put in order") }
            var status = stat()
            let end = stat(path, &status) == 0 ? Date(timeIntervalSince1970: Double(status.st_mtim.tv_sec)) : Date()
            index.close(path, .killed, bytes: DiskSpace.size(of: path), at: end)
        }
    }
}
