import Glibc
import LibAVBase
public import Media

/// Files and addresses one after the other, as one source whose time stamps go on rising.
///
/// A part whose streams are others makes `generation` rise. A part that cannot be opened, or breaks off, is told of in a line, and the
/// next one follows; where there is only one, its error is the playlist's. Not for two threads at once.
public struct Playlist: ~Copyable, PacketSource {
    public private(set) var streams: [StreamDescription] = []
    public private(set) var generation = 0

    private let parts: [PlaylistPart]
    private let settings: PlaylistSettings
    private let stop: StopFlag
    private let note: (String) -> Void
    private var position = 0
    private var demuxer: Demuxer?
    private var demuxerGeneration = 0
    /// Where the time stamps have come to, in nanoseconds.
    private var end: Int64?
    /// Something came in this pass through the list.
    private var hasDelivered = false
    private var schedule = ReconnectSchedule()
    private var generator = SystemRandomNumberGenerator()
    /// Since when the connection is closed because nobody looks; nanoseconds on CLOCK_MONOTONIC.
    private var restsSince: Int64?
    /// Streams that have not gone on since the connection was there again.
    private var interrupted: Set<Int> = []

    /// Opens the first part that can be opened. Blocks until its streams are known.
    /// - Parameters:
    ///   - parts: at least one.
    ///   - stop: raise it to end this and every later call with `.cancelled`.
    ///   - note: is told of what is left out, in a line.
    /// - Throws: why the last part could not be opened, where none can.
    public init(
        _ parts: [PlaylistPart], _ settings: PlaylistSettings = PlaylistSettings(), stop: StopFlag = StopFlag(),
        note: @escaping (String) -> Void = { _ in }
    ) throws(MediaError) {
        self.parts = parts
        self.settings = settings
        self.stop = stop
        self.note = note
        if let error = try openNext(startingWith: 0) { throw error }
    }

    /// - Throws: `.cancelled`; where there is one part only, what ended it before its time.
    public mutating func next() throws(MediaError) -> CodedPacket? {
        while true {
            do throws(MediaError) {
                if let since = restsSince.take() { try wake(since) }
                if let packet = try demuxer?.next() {
                    takeIn()
                    guard let packet = resumed(packet) else { continue }
                    hasDelivered = true
                    return packet
                }
                guard waitsForPart else {
                    guard try advance() else { return nil }
                    continue
                }
                try reconnect(after: MediaError(.readFailed, object: parts[position].address, what: "the server has ended the stream"))
            } catch {
                if error.code == .cancelled { throw error }
                if waitsForPart {
                    try reconnect(after: error)
                } else {
                    guard parts.count > 1 else { throw error }
                    note("\(error)")
                    guard try advance() else { return nil }
                }
            }
        }
    }

    public func withBytes<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        switch demuxer {
        case .some(let demuxer): try demuxer.withBytes(body)
        case .none: try body(RawSpan())
        }
    }

    /// What comes from elsewhere goes on without us: a server would take a connection that nobody reads for a dead one, and what
    /// its buffers hold would be of long ago.
    public mutating func rest() {
        guard parts[position].isRemote, demuxer != nil else { return }
        takeIn()
        end = demuxer?.end ?? end
        demuxer = nil
        restsSince = monotonicNanoseconds()
    }

    public var standsStillAtRest: Bool { !parts[position].isRemote }
    public var comesWhenAsked: Bool { parts[position].isFile }

    private mutating func wake(_ since: Int64) throws(MediaError) {
        // Time went on.
        end = end.map { $0 &+ (monotonicNanoseconds() - since) }
        try open()
        interrupted = Set(streams.indices)
    }

    /// What is not a file here may come back.
    private var waitsForPart: Bool { settings.waits && parts[position].isRemote }

    /// Goes on to the next part that can be opened.
    /// - Returns: false at the end.
    private mutating func advance() throws(MediaError) -> Bool {
        takeIn()
        end = demuxer?.end ?? end
        let next = position + 1
        if next == parts.count {
            // A list of which nothing comes would be gone through for ever.
            guard settings.loops, hasDelivered else { return false }
            hasDelivered = false
        }
        guard let error = try openNext(startingWith: next % parts.count) else { return true }
        note("\(error)")
        return false
    }

    /// Opens the first part from `first` on that can be opened.
    /// - Returns: why the last one could not be, where none can; of the others is told.
    private mutating func openNext(startingWith first: Int) throws(MediaError) -> MediaError? {
        var failure: MediaError?
        for index in first..<parts.count {
            if let failure { note("\(failure)") }
            position = index
            do throws(MediaError) {
                try open()
                return nil
            } catch {
                if error.code == .cancelled { throw error }
                if waitsForPart {
                    try reconnect(after: error)
                    return nil
                }
                failure = error
            }
        }
        return failure
    }

    private mutating func open() throws(MediaError) {
        let part = parts[position]
        // The last one's file is closed before the next is opened.
        demuxer = nil
        let opened = try Demuxer(
            url: part.address, format: part.isPicture ? "image2" : nil, options: part.isPicture ? settings.pictureOptions : [],
            loops: settings.loops && parts.count == 1 && !part.isRemote, from: streams.isEmpty ? settings.start : 0, startingAt: end, stop: stop)
        if !opened.streams.goOn(with: streams) {
            if !streams.isEmpty { generation += 1 }
            streams = opened.streams
        }
        demuxerGeneration = opened.generation
        demuxer = consume opened
        takeIn()
    }

    /// What the demuxer has found out.
    private mutating func takeIn() {
        guard let remarks = demuxer?.remarks, let latest = demuxer?.generation else { return }
        if !remarks.isEmpty {
            for remark in remarks { note("\(LoggedAddress(parts[position].address)): \(remark)") }
            demuxer?.remarks = []
        }
        if latest != demuxerGeneration {
            demuxerGeneration = latest
            streams = demuxer?.streams ?? streams
            generation += 1
        }
    }

    /// Tries until the server is there again; what is to be said of it is said once for each outage.
    private mutating func reconnect(after error: MediaError) throws(MediaError) {
        let since = monotonicNanoseconds()
        note("\(error); waiting for it to come back")
        end = demuxer?.end ?? end
        let before = end
        while true {
            let due = schedule.failed(at: monotonicNanoseconds(), using: &generator) ?? .max
            while monotonicNanoseconds() < due {
                if stop.isRaised { throw MediaError(.cancelled, object: parts[position].address, what: "stopped") }
                usleep(20_000)
            }
            // Time went on.
            end = before.map { $0 &+ (monotonicNanoseconds() - since) }
            do throws(MediaError) {
                try open()
            } catch {
                if error.code == .cancelled { throw error }
                continue
            }
            schedule.connected(at: monotonicNanoseconds())
            interrupted = Set(streams.indices)
            let seconds = (monotonicNanoseconds() - since + 500_000_000) / 1_000_000_000
            note("\(LoggedAddress(parts[position].address)): there again after \(seconds) s")
            return
        }
    }

    /// After an outage each stream goes on where it can be decoded.
    private mutating func resumed(_ packet: CodedPacket) -> CodedPacket? {
        guard interrupted.contains(packet.stream) else { return packet }
        guard packet.isKey || !streams[packet.stream].isVideo else { return nil }
        interrupted.remove(packet.stream)
        var packet = packet
        packet.isDiscontinuity = true
        return packet
    }
}
