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
    /// The server has gone, and is waited for.
    private var outage: Outage?
    private let waiting: DeviceWait
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
        waiting = DeviceWait(count: 0, stop: stop, stopDescriptor: -1)
        if let error = try openNext(startingWith: 0) { throw error }
    }

    /// - Throws: `.cancelled`; where there is one part only, what ended it before its time; `.interrupted` as `listen` has it, while a
    ///   server is waited for.
    public mutating func next() throws(MediaError) -> CodedPacket? {
        while true {
            while let outage { try comeBack(from: outage) }
            do throws(MediaError) {
                if let since = restsSince.take() { try wake(since) }
                if let packet = try demuxer?.next() {
                    takeIn()
                    guard let packet = resumed(packet) else { continue }
                    hasDelivered = true
                    return packet
                }
                if waitsForPart {
                    lose(MediaError(.readFailed, object: parts[position].address, what: "the server has ended the stream"))
                } else {
                    guard try advance() else { return nil }
                }
            } catch {
                if error.code == .cancelled { throw error }
                if waitsForPart {
                    lose(error)
                } else {
                    guard parts.count > 1 else { throw error }
                    note("\(error)")
                    guard try advance() else { return nil }
                }
            }
            if outage != nil { throw MediaError(.interrupted, object: parts[position].address, what: "gone") }
        }
    }

    public func listen(to descriptor: CInt) { waiting.listen(to: descriptor) }
    public var isAway: Bool { outage != nil }

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
                    lose(error)
                    // Before anything has come there is nobody yet to whom it could be told.
                    while streams.isEmpty, let outage { try comeBack(from: outage) }
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

    /// What is to be said of an outage is said once.
    private mutating func lose(_ error: MediaError) {
        note("\(error); waiting for it to come back")
        end = demuxer?.end ?? end
        demuxer = nil
        let now = monotonicNanoseconds()
        outage = Outage(since: now, end: end, due: schedule.failed(at: now, using: &generator) ?? .max)
    }

    /// Waits until it is time, and tries once.
    /// - Throws: `.cancelled`, `.interrupted`.
    private mutating func comeBack(from outage: Outage) throws(MediaError) {
        while true {
            let left = outage.due - monotonicNanoseconds()
            guard left > 0 else { break }
            // A stop has no descriptor here.
            try waiting.pause(milliseconds: CInt(min(20, (left + 999_999) / 1_000_000)))
        }
        // Time went on.
        end = outage.end.map { $0 &+ (monotonicNanoseconds() - outage.since) }
        do throws(MediaError) {
            try open()
        } catch {
            if error.code == .cancelled { throw error }
            self.outage?.due = schedule.failed(at: monotonicNanoseconds(), using: &generator) ?? .max
            return
        }
        self.outage = nil
        schedule.connected(at: monotonicNanoseconds())
        interrupted = Set(streams.indices)
        let seconds = (monotonicNanoseconds() - outage.since + 500_000_000) / 1_000_000_000
        note("\(LoggedAddress(parts[position].address)): there again after \(seconds) s")
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

/// A server that has gone.
private struct Outage {
    /// Nanoseconds on CLOCK_MONOTONIC.
    let since: Int64
    /// Where the time stamps had come to then.
    let end: Int64?
    /// When to try again; nanoseconds on CLOCK_MONOTONIC.
    var due: Int64
}
