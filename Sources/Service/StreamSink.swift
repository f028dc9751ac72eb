import Glibc
import LibAV
package import Media
private import Synchronization
package import Transcode

/// Where a re-streamer sends a publication.
package struct StreamTarget: Sendable {
    package var address: String
    /// libavformat's name of the container; nil for the address's own.
    package var format: String?
    package var options: [(key: String, value: String)] = []
    package var coding = CodingSettings()
    /// Where the description of an RTP session is written; each stream then has a session of its own.
    package var sessionFile: String?
    /// Shorter segments and fragments, where the format knows how.
    package var isLowLatency = false
    /// How often to try again, each time the connection is lost; nil for ever.
    package var retries: Int?

    package init(address: String) { self.address = address }

    /// Nanoseconds after which a list of files goes on with another, at the next key frame.
    fileprivate var segmentLength: Int64 {
        let asked = options.last { ["hls_time", "seg_duration"].contains($0.key) }.flatMap { Double($0.value) } ?? 2
        return Int64(min(max(asked, 0.1), 3600) * 1e9)
    }
}

/// What became of a target, for whoever started it.
package final class StreamReport: Sendable {
    private let reached = Atomic<Bool>(false)
    private let failed = Atomic<Bool>(false)

    package init() {}

    /// Something was sent there, and nothing is known that speaks against its having been taken.
    package var hasReached: Bool { reached.load(ordering: .relaxed) }
    /// It was not there, or went away, and that was said.
    package var hasFailed: Bool { failed.load(ordering: .relaxed) }
    fileprivate func reach() { reached.store(true, ordering: .relaxed) }
    fileprivate func fail() { failed.store(true, ordering: .relaxed) }
}

/// Sends a publication to one address. A server that goes away is tried again after growing pauses, and the stream goes
/// on at the last key frame that is kept, so that there is a picture at once, or else at the next one; what is to be said of it
/// is said once for each outage. A local playlist is no server: what fails there has failed.
package struct StreamSink: ~Copyable, ConsumerSink {
    private let target: StreamTarget
    private let stop: StopFlag
    private let report: StreamReport
    private let isRemote: Bool
    /// Bytes since the disk was looked at, where it goes to one of ours.
    private var unwatched: UInt64 = .max
    /// Bytes of the segment that is begun, and of the one before: each is held back until all of its streams are there.
    private var heldBack = (before: UInt64(0), now: UInt64(0))
    /// When the segment was begun, in nanoseconds of the publication.
    private var segmentStart: Int64?
    /// Packets and pictures that were damaged, of those to be coded anew.
    private var damage: UInt64 = 0
    private var outlet: Outlet?
    /// An earlier publication went there as well.
    private var isContinuing = false
    private var streams: [StreamDescription] = []
    /// These streams were sent there already.
    private var hasBegun = false
    package private(set) var hasTaken = false
    private var schedule: ReconnectSchedule
    private var generator = SystemRandomNumberGenerator()
    /// Since when nothing is sent; nil while all is well.
    private var outage: Int64?
    /// Since when there is a connection that has not proven itself: servers let anybody in, and throw out whom they do not want.
    private var trial: Int64?
    /// What was not sent before it, in nanoseconds of the publication.
    private var missing: Int64 = 0
    /// Nanoseconds after which a connection is one.
    private static let probation: Int64 = 2_000_000_000
    private var nextTry: Int64 = 0
    /// It was asked for a place to begin at, for the next try.
    private var hasAsked = false
    /// The latest time stamp that was sent, in nanoseconds of the publication; nil before the first.
    private var sentUntil: Int64?
    /// Video streams that wait for their key frame.
    private var awaitingKeyFrame: Set<Int> = []

    package init(_ target: StreamTarget, stop: StopFlag, report: StreamReport) {
        self.target = target
        self.stop = stop
        self.report = report
        isRemote = Muxer.isRemote(target.address)
        schedule = ReconnectSchedule(limit: target.retries)
    }

    package mutating func begin(_ streams: [StreamDescription]) throws(MediaError) {
        try finish()
        self.streams = streams
        awaitingKeyFrame = []
        hasBegun = false
        sentUntil = nil
    }

    package mutating func tick() -> SinkTick {
        guard outage != nil, !hasAsked else { return SinkTick() }
        guard monotonicNanoseconds() >= nextTry else { return SinkTick(next: nextTry) }
        hasAsked = true
        return SinkTick(beginsAnew: true)
    }

    package mutating func write(_ packet: CodedPacket, _ bytes: RawSpan) throws(MediaError) {
        hasTaken = false
        guard outlet != nil || mayTry(with: packet) else { return }
        do throws(MediaError) {
            let time = packet.decodingTime.map(streams[packet.stream].timeBase.nanoseconds)
            if outlet == nil { try connect(at: time) }
            guard isWanted(packet) else { return }
            let before = outlet?.packetCount
            try outlet?.write(packet, bytes)
            noteDamage()
            let hasSent = outlet?.packetCount != before
            // A coder takes some before it gives any.
            hasTaken = hasSent || !target.coding.isCopy
            guard hasSent else { return }
            hasBegun = true
            if let time { sentUntil = max(sentUntil ?? time, time) }
            if !isRemote { try watchDisk(packet, bytes.byteCount) }
            if let trial, !isRemote || monotonicNanoseconds() - trial >= Self.probation { confirm() }
        } catch {
            try fail(error)
        }
    }

    /// What the decoder in front of a coder made nothing of, or half a picture: counted, told of when it begins and at the end.
    private mutating func noteDamage() {
        let count = outlet?.takeDamage() ?? 0
        guard count > 0 else { return }
        if damage == 0 { say("\(LoggedAddress(target.address)): what is to be coded anew is damaged; what can be decoded of it goes on") }
        damage &+= count
    }

    /// Ends well before the disk is full: muxers of playlists go on without a word over what they cannot write, and leave lists that
    /// nobody can read.
    private mutating func watchDisk(_ packet: CodedPacket, _ bytes: Int) throws(MediaError) {
        unwatched = unwatched.addingReportingOverflow(UInt64(bytes)).partialValue
        let lead = streams.firstIndex(where: \.isVideo) ?? 0
        if packet.stream == lead, packet.isKey, let time = packet.decodingTime.map(streams[lead].timeBase.nanoseconds) {
            let start = segmentStart ?? time
            if time < start || time &- start >= target.segmentLength { (heldBack, segmentStart) = ((heldBack.now, 0), time) }
            segmentStart = segmentStart ?? time
        }
        heldBack.now &+= UInt64(bytes)
        guard unwatched >= 1 << 16 else { return }
        unwatched = 0
        let path = target.address.hasPrefix("file:") ? String(target.address.dropFirst(5)) : target.address
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let owed = heldBack.before &+ heldBack.now
        // And what a transport stream puts around it.
        guard let disk = DiskSpace(at: folder), disk.isNearlyFull(owing: owed &+ owed / 8) else { return }
        try finish()
        throw disk.shortage(path, ended: "the stream", remedy: "keep fewer segments there")
    }

    /// A server that goes away at the very end is told of, and no failure: all that it took was sent.
    package mutating func finish() throws(MediaError) {
        guard outlet != nil else { return }
        do throws(MediaError) {
            try outlet?.finish()
            if hasBegun { confirm() }
            noteDamage()
            if damage > 0 { say("\(LoggedAddress(target.address)): \(damage) packets or pictures were damaged") }
            damage = 0
        } catch {
            guard isRemote, error.code != .cancelled else { throw error }
            report.fail()
            // Of an outage that goes on, as with a server that throws out each time, was said before.
            if outage == nil { say("\(error)") }
        }
        outlet = nil
        isContinuing = true
    }

    /// Only where something begins that can be decoded: a server is not asked for before there is something for it.
    private func mayTry(with packet: CodedPacket) -> Bool {
        guard outage != nil else { return true }
        guard monotonicNanoseconds() >= nextTry else { return false }
        return streams[packet.stream].isVideo ? packet.isKey : !streams.contains(where: \.isVideo)
    }

    private mutating func isWanted(_ packet: CodedPacket) -> Bool {
        guard awaitingKeyFrame.contains(packet.stream) else { return true }
        if packet.isKey { awaitingKeyFrame.remove(packet.stream) }
        return packet.isKey
    }

    /// - Parameter time: of the packet to begin with, in nanoseconds of the publication.
    private mutating func connect(at time: Int64?) throws(MediaError) {
        outlet = try Outlet(target, streams, continuing: isContinuing, stop: stop)
        if !hasBegun, let left = outlet?.leftOut, !left.isEmpty {
            say("\(LoggedAddress(target.address)): subtitles (\(left.map(\.codec).joined(separator: ", "))) cannot go there, and are left out")
        }
        trial = monotonicNanoseconds()
        missing = if let time, let sentUntil { max(time &- sentUntil, 0) } else { 0 }
    }

    /// It has lasted.
    private mutating func confirm() {
        guard let since = trial.take() else { return }
        schedule.connected(at: since)
        report.reach()
        guard let outage else { return }
        let gap = missing > 0 ? "; \(Self.seconds(missing)) of the stream were not sent" : ""
        say("\(LoggedAddress(target.address)): connected again after \(Self.seconds(since - outage))\(gap)")
        self.outage = nil
    }

    private static func seconds(_ nanoseconds: Int64) -> String { "\((Double(nanoseconds) / 1e9).rounded(to: 1)) s" }

    /// Drops the connection, and says so once.
    /// - Throws: what no waiting will mend.
    private mutating func fail(_ error: MediaError) throws(MediaError) {
        let hadConnection = outlet != nil
        outlet = nil
        trial = nil
        // Asked to stop: there is nothing to come back for.
        if stop.isRaised { return }
        let now = monotonicNanoseconds()
        guard isRemote, hadConnection || hasBegun || Self.mayPass(error), let next = schedule.failed(at: now, using: &generator)
        else { throw error }
        nextTry = next
        hasAsked = false
        awaitingKeyFrame = Set(streams.filter(\.isVideo).map(\.index))
        if outage == nil {
            outage = now
            report.fail()
            say("\(error); trying again\(target.retries.map { ", \($0) times" } ?? " until it is there")")
        }
    }

    /// Whether it may be different next time: a codec that the container cannot hold will not be.
    private static func mayPass(_ error: MediaError) -> Bool {
        ![.unsupportedCodec, .unsupportedFormat, .invalidOption, .noStreams, .outOfMemory].contains(error.code)
    }
}
