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
}

/// What became of a target, for whoever started it.
package final class StreamReport: Sendable {
    private let reached = Atomic<Bool>(false)

    package init() {}

    /// Something was sent there.
    package var hasReached: Bool { reached.load(ordering: .relaxed) }
    fileprivate func reach() { reached.store(true, ordering: .relaxed) }
}

/// Sends a publication to one address. A server that goes away is tried again after growing pauses, and the stream goes
/// on at a key frame; what is to be said of it is said once for each outage. A local playlist is no server: what fails
/// there has failed.
package struct StreamSink: ~Copyable, ConsumerSink {
    private let target: StreamTarget
    private let stop: StopFlag
    private let report: StreamReport
    private let isRemote: Bool
    private var outlet: Outlet?
    /// An earlier publication went there as well.
    private var isContinuing = false
    private var streams: [StreamDescription] = []
    private var schedule: ReconnectSchedule
    private var generator = SystemRandomNumberGenerator()
    /// Since when nothing is sent; nil while all is well.
    private var outage: Int64?
    private var nextTry: Int64 = 0
    private var unsent = 0
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
    }

    package mutating func write(_ packet: CodedPacket, _ bytes: RawSpan) throws(MediaError) {
        guard outlet != nil || mayTry(with: packet) else {
            unsent += 1
            return
        }
        do throws(MediaError) {
            if outlet == nil { try connect() }
            guard isWanted(packet) else { return }
            try outlet?.write(packet, bytes)
            report.reach()
        } catch {
            unsent += 1
            try fail(error)
        }
    }

    /// A server that goes away at the very end is told of, and no failure: all that it took was sent.
    package mutating func finish() throws(MediaError) {
        guard outlet != nil else { return }
        do throws(MediaError) {
            try outlet?.finish()
        } catch {
            guard isRemote, error.code != .cancelled else { throw error }
            say("\(error)")
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

    private mutating func connect() throws(MediaError) {
        outlet = try Outlet(target, streams, continuing: isContinuing, stop: stop)
        let now = monotonicNanoseconds()
        schedule.connected(at: now)
        guard let outage else { return }
        let seconds = (Double(now - outage) / 1e9).rounded(to: 1)
        say("\(LoggedAddress(target.address)): connected again after \(seconds) s; \(unsent) packets were not sent")
        self.outage = nil
        unsent = 0
    }

    /// Drops the connection, and says so once.
    /// - Throws: what no waiting will mend.
    private mutating func fail(_ error: MediaError) throws(MediaError) {
        let hadConnection = outlet != nil
        outlet = nil
        // Asked to stop: there is nothing to come back for.
        if stop.isRaised { return }
        let now = monotonicNanoseconds()
        guard isRemote, hadConnection || report.hasReached || Self.mayPass(error), let next = schedule.failed(at: now, using: &generator)
        else { throw error }
        nextTry = next
        awaitingKeyFrame = Set(streams.filter(\.isVideo).map(\.index))
        if outage == nil {
            outage = now
            say("\(error); trying again\(target.retries.map { ", \($0) times" } ?? " until it is there")")
        }
    }

    /// Whether it may be different next time: a codec that the container cannot hold will not be.
    private static func mayPass(_ error: MediaError) -> Bool {
        ![.unsupportedCodec, .unsupportedFormat, .invalidOption, .noStreams, .outOfMemory].contains(error.code)
    }
}
