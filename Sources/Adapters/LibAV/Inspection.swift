import CLibAV
import LibAVBase
public import Media

/// What a look at every packet of a file has found.
public struct Inspection: Sendable {
    public struct Track: Sendable {
        public let stream: StreamDescription
        public internal(set) var packets = 0
        public internal(set) var keyFrames = 0
        public internal(set) var backwards = 0
        public internal(set) var damaged = 0
    }

    /// What is to be done about it.
    public enum State: Sendable, Equatable {
        case whole
        /// Its writer did not end it: it plays, and what it lacks (an index, a length) can be made.
        case unfinished
        /// Something is missing or out of order; what is left can be put into a file that is whole.
        case damaged
    }

    public internal(set) var state = State.whole
    public internal(set) var tracks: [Track] = []
    /// Seconds, by the packets' time stamps.
    public internal(set) var seconds = 0.0
    /// One line each.
    public internal(set) var findings: [String] = []

    /// Opens a file and reads all of it.
    /// - Throws: what `Demuxer` throws where there is nothing to read: `.notFound`, `.unsupportedFormat`, `.noStreams`, …
    public static func of(_ path: String, stop: StopFlag = StopFlag()) throws(MediaError) -> Inspection {
        var inspection = Inspection()
        try inspection.lookAtStructure(path)
        let mark = LogTail.mark()
        var demuxer = try Demuxer(url: path, stop: stop)
        inspection.tracks = demuxer.streams.map { Track(stream: $0) }
        try inspection.walk(&demuxer)
        for line in LogTail.lines(since: mark) { inspection.note(.damaged, "libav: \(line)") }
        return inspection
    }

    private mutating func walk(_ demuxer: inout Demuxer) throws(MediaError) {
        var last: [Int: Int64] = [:]
        var span: (start: Int64, end: Int64)?
        while let packet = try demuxer.next() {
            tracks[packet.stream].packets += 1
            if packet.isKey { tracks[packet.stream].keyFrames += 1 }
            if packet.isCorrupt { tracks[packet.stream].damaged += 1 }
            if let dts = packet.dts {
                if let before = last[packet.stream], dts <= before { tracks[packet.stream].backwards += 1 }
                last[packet.stream] = dts
            }
            guard let pts = packet.pts ?? packet.dts else { continue }
            let base = tracks[packet.stream].stream.timeBase
            let (start, end) = (base.nanoseconds(pts), base.nanoseconds(pts &+ packet.duration))
            span = span.map { (min($0.start, start), max($0.end, end)) } ?? (start, end)
        }
        seconds = span.map { Double($0.end &- $0.start) / 1e9 } ?? 0
        for track in tracks { judge(track) }
    }

    private mutating func judge(_ track: Track) {
        let name = track.stream.description
        if track.packets == 0 { note(.damaged, "\(name): no packets") }
        if track.damaged > 0 { note(.damaged, "\(name): \(track.damaged) packets are damaged or cut off") }
        if track.backwards > 0 { note(.damaged, "\(name): decoding times go back \(track.backwards) times") }
        if track.stream.isVideo, track.packets > 0, track.keyFrames == 0 { note(.damaged, "\(name): no key frame") }
    }

    /// The worst that was found is the file's state.
    private mutating func note(_ state: State, _ finding: String) {
        if self.state == .whole || state == .damaged { self.state = state }
        findings.append(finding)
    }

    private mutating func lookAtStructure(_ path: String) throws(MediaError) {
        let file = try MP4File(path: path, isWritable: false)
        guard let head = try? file.read(0..<min(64, file.size)), head.count >= 12 else { return }
        if head[4..<8].elementsEqual("ftyp".utf8) {
            lookAtBoxes(file)
        } else if head.starts(with: [0x1a, 0x45, 0xdf, 0xa3]) {
            // The Segment's size is all ones until a Matroska file is ended.
            let segment = head.indices.first { head[$0...].starts(with: [0x18, 0x53, 0x80, 0x67, 0x01]) }
            guard let segment, head.count >= segment + 12, head[(segment + 5)..<(segment + 12)].allSatisfy({ $0 == 0xff }) else { return }
            note(.unfinished, "not ended: it has no length, and no index to seek by")
        } else if head.starts(with: "RIFF".utf8), head[4..<8].allSatisfy({ $0 == 0xff }) {
            note(.unfinished, "not ended: it does not say how long it is")
        } else if head[0] == 0x47, file.size % 188 != 0 {
            note(.unfinished, "its last \(file.size % 188) bytes are no whole packet")
        }
    }

    private mutating func lookAtBoxes(_ file: borrowing MP4File) {
        do throws(MP4Flaw) {
            let extents = try file.extents()
            guard let moov = extents.first(where: { $0.type == "moov" && !$0.isCut }) else {
                return note(.damaged, "no moov: nothing says what is where")
            }
            if try file.box(moov)["mvex"] != nil { note(.unfinished, "not ended: it consists of fragments") }
            if let last = extents.last, last.isCut { note(.damaged, "cut off in the middle of \(last.type.isEmpty ? "a box" : last.type)") }
        } catch {
            note(.damaged, error.what)
        }
    }
}
