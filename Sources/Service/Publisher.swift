import Glibc
package import IPN
package import Media
import SystemPackage

/// How to publish.
package struct PublishSettings: Sendable {
    /// As fast as the network takes it, not by the clock.
    package var isFast = false
    /// The source delivers when it is time, and says when that was: a device.
    package var isLive = false
    /// Media time for each second of the clock; more than 0.
    package var speed = 1.0
    /// A jump of the time stamps by more than this, in nanoseconds, is no wait.
    package var longestWait: Int64 = 10_000_000_000
    /// Begin once that many receive.
    package var waitReaders = 0
    /// Stop producing while nobody receives, and has not for that many nanoseconds; nil: never.
    package var restsAfter: Int64?
    /// What to keep for those who join later; nil: what is usual for the streams.
    package var history: HistoryExtent?
    /// Nanoseconds; nil for the whole source.
    package var duration: Int64?

    package init() {}

    /// For sources that rest unless told otherwise: nobody misses what they do not make, but for who asks for the past.
    mutating func restsByItself() {
        if history?.isOfThePast != true { restsAfter = restsAfter ?? 0 }
    }
}

/// Puts a source's packets on a network: paced, described to every newcomer, resting where nobody looks.
package struct Publisher<Source: PacketSource & ~Copyable>: ~Copyable {
    private let node: Node
    private let name: String
    private var label: String
    package private(set) var source: Source
    private let settings: PublishSettings
    private let stop: StopSignal
    private let pause: Pause
    private var meter: ProgressMeter
    private var publication: Publication
    private var clock: MediaClock
    /// Until when the last picture is shown, in nanoseconds on CLOCK_MONOTONIC.
    private var shownUntil: Int64 = 0
    private var generation: Int
    private var readers = 0
    /// The stream at whose key frames a newcomer begins: the first with pictures; nil where there are none.
    private var leadingStream: Int?
    /// Nanoseconds on CLOCK_MONOTONIC.
    private var lastDescription: Int64 = 0
    /// The bus's sequence of it.
    private var descriptionSequence: UInt64 = 0
    private var history: KeptHistory
    /// It was said that key frames lie further apart than what is kept.
    private var hasToldOfDistance = false
    private var keptFrom: UInt64 = 0
    /// Whether `ipn show` says that the source waits for its device.
    private var saysAway = false
    /// Since when nobody receives.
    private var deserted: Int64?

    /// - Parameters:
    ///   - node: connected for sending, with the number of nodes wanted.
    ///   - name: what `ipn show` prints, before the streams.
    package init(
        _ source: consuming Source, on node: Node, name: String, settings: PublishSettings, stop: StopSignal, meter: ProgressMeter
    ) {
        publication = Publication(streams: source.streams)
        history = KeptHistory(node.options.history > 0 ? settings.history ?? .usual(for: source.streams) : .none)
        leadingStream = source.streams.firstIndex { $0.isVideo }
        label = StreamLabel.text(name, source.streams)
        generation = source.generation
        self.source = source
        self.node = node
        self.name = name
        clock = MediaClock(longestWait: settings.longestWait, speed: settings.speed)
        self.settings = settings
        self.stop = stop
        pause = Pause(stop: stop)
        self.meter = meter
    }

    /// Publishes until the end of the source, the duration, or a stop.
    /// - Throws: `MediaError` of the source, `IPNError` of the network.
    package mutating func run() throws {
        let end = settings.duration.map { monotonicNanoseconds() + $0 }
        defer { meter.finish() }
        // Whatever the source waits for then.
        if let end { try stop.raise(at: end) }
        source.listen(to: try node.fileDescriptor())
        try node.setDescription(label)
        try describe()
        while readers < settings.waitReaders, !stop.isRaised { try lookWhoIsThere(until: nil) }
        while !stop.isRaised, end.map({ monotonicNanoseconds() < $0 }) ?? true {
            try lookWhoIsThere(until: 0)
            if isDeserted {
                try rest(until: end)
                continue
            }
            let next = try nextPacket()
            if source.isAway != saysAway { try tellAbsence() }
            guard var packet = next.packet else {
                if next.isOver { break }
                continue
            }
            if source.generation != generation { try beginAnew() }
            try awaitTurn(of: &packet)
            if stop.isRaised { break }
            try send(packet)
            meter.share()
        }
        while monotonicNanoseconds() < min(shownUntil, end ?? .max), !stop.isRaised { try lookWhoIsThere(until: shownUntil) }
        try deliver(publication.endSize) { (publication, room) throws(MediaError) in try publication.writeEnd(into: room) }
    }

    /// The source has other streams now: a publication of its own, which consumers begin with when they see its description.
    private mutating func beginAnew() throws {
        generation = source.generation
        publication = Publication(streams: source.streams)
        history = KeptHistory(node.options.history > 0 ? settings.history ?? .usual(for: source.streams) : .none)
        leadingStream = source.streams.firstIndex { $0.isVideo }
        label = StreamLabel.text(name, source.streams)
        node.keepHistory(from: node.nextSequence)
        try node.setDescription(label)
        try describe()
    }

    /// Without a packet at the end, and where a stop has interrupted the source: that is an end like others; and where somebody else
    /// is to be looked after, which is none.
    private mutating func nextPacket() throws(MediaError) -> (packet: CodedPacket?, isOver: Bool) {
        do throws(MediaError) {
            let packet = try source.next()
            return (packet, packet == nil)
        } catch {
            if error.code == .interrupted { return (nil, false) }
            guard error.code == .cancelled, stop.isRaised else { throw error }
            return (nil, true)
        }
    }

    private mutating func tellAbsence() throws {
        saysAway = source.isAway
        try node.setDescription(saysAway ? "\(label), waiting" : label)
    }

    /// Whether nobody has received for long enough to rest.
    private var isDeserted: Bool {
        guard let after = settings.restsAfter, readers == 0 else { return false }
        return after == 0 || deserted.map { monotonicNanoseconds() - $0 >= after } ?? false
    }

    /// Nobody receives: nothing is produced, until somebody comes. Where time went on meanwhile, nobody wants to begin before the pause.
    private mutating func rest(until end: Int64?) throws {
        source.rest()
        if !source.standsStillAtRest {
            history.forget()
            node.keepHistory(from: node.nextSequence)
        }
        try node.setDescription("\(label), resting")
        while readers == 0, !stop.isRaised, end.map({ monotonicNanoseconds() < $0 }) ?? true { try lookWhoIsThere(until: end) }
        try node.setDescription(label)
        saysAway = false
        clock.restart()
        source.requestKeyFrame()
    }

    /// Waits until a packet is due, and meanwhile answers newcomers.
    private mutating func awaitTurn(of packet: inout CodedPacket) throws {
        if settings.isLive, packet.captureTime != nil { return }
        var now = monotonicNanoseconds()
        var captured = now
        if !settings.isFast, let time = packet.decodingTime {
            let timeBase = source.streams[packet.stream].timeBase
            let due = clock.due(time, timeBase, now: now)
            if packet.stream == leadingStream ?? packet.stream {
                shownUntil = due &+ min(clock.length(packet.duration, timeBase), settings.longestWait)
            }
            while now < due, !stop.isRaised {
                try lookWhoIsThere(until: due)
                now = monotonicNanoseconds()
            }
            // Not when it is let go: who was kept from the processor is late then, and would tell players that the source's clock has
            // jumped, and back again with what it catches up with. But a clock of somebody else's would be late for ever more.
            captured = source.comesWhenAsked ? due : now
        }
        packet.captureTime = captured
    }

    /// Takes in who is there; whoever is new gets the description again.
    /// - Parameter due: how long to wait for news, in nanoseconds on CLOCK_MONOTONIC; nil for ever.
    private mutating func lookWhoIsThere(until due: Int64?) throws {
        if due != 0 { try pause.wait(for: try node.fileDescriptor(), until: due) }
        while let news = try node.begin(timeout: .zero) {
            node.end(news)
            guard let counts = news.numberOfNodes else { continue }
            readers = counts.readers
            deserted = readers > 0 ? nil : deserted ?? monotonicNanoseconds()
            meter.progress.readers = readers
            meter.share()
            // Changes coalesce: who is new may have come as another left, and then the number is what it was.
            if readers > 0 {
                try describe()
                if history.start == nil { source.requestKeyFrame() }
            }
        }
        if let end = node.networkEnd { throw end }
    }

    private mutating func describe() throws {
        lastDescription = monotonicNanoseconds()
        descriptionSequence = node.nextSequence
        try deliver(publication.descriptionSize) { (publication, room) throws(MediaError) in
            try publication.writeDescription(into: room)
        }
    }

    /// Before what a newcomer can begin with, where the last one is some time ago: a receiver that has lost a description
    /// on a LOSSY network would otherwise wait for ever.
    private mutating func describeNowAndThen(before packet: CodedPacket) throws {
        guard leadingStream.map({ packet.isKey && packet.stream == $0 }) ?? true else { return }
        let now = monotonicNanoseconds()
        if now - lastDescription >= 1_000_000_000 { try describe() }
        history.begin(description: descriptionSequence, now: now)
    }

    private mutating func send(_ packet: CodedPacket) throws {
        try describeNowAndThen(before: packet)
        let size = source.withBytes { $0.byteCount }
        guard let slot = try lend(publication.size(payload: size)) else {
            publication.noteLost(stream: packet.stream)
            // All wait for one now.
            if source.streams[packet.stream].isVideo { source.requestKeyFrame() }
            return
        }
        let room = UnsafeMutableRawBufferPointer(start: slot.bytes, count: slot.count)
        do throws(MediaError) {
            _ = try source.withBytes { bytes throws(MediaError) in try publication.write(packet, bytes, into: room) }
        } catch {
            node.cancel(slot)
            throw error
        }
        node.publish(slot)
        keep(size)
        meter.progress.lost += UInt64(packet.lost)
        meter.count(packet, size, of: publication.streams)
    }

    /// Says where the history begins, where that has changed.
    private mutating func keep(_ size: Int) {
        guard history.extent != .none else { return }
        history.add(octets: size)
        let capacity = UInt64(node.options.history)
        if history.drop(before: node.nextSequence - min(capacity, node.nextSequence)) { tellOfDistance() }
        // Before the first key frame, what there is may belong to it.
        guard let first = history.isOverfull ? node.nextSequence : history.start, first != keptFrom else { return }
        keptFrom = first
        node.keepHistory(from: first)
    }

    /// Who joins now has no picture until the next key frame; an encoder makes one when somebody comes.
    private mutating func tellOfDistance() {
        guard !hasToldOfDistance, !source.makesKeyFrames else { return }
        hasToldOfDistance = true
        say(
            "\(node.path ?? ""): the last key frame lies further back than the \(node.options.history) messages that this network keeps: who joins "
                + "waits for the next one; publish with a --history that reaches further, such as 5min, or with --encode")
    }

    private mutating func deliver(
        _ size: Int, _ write: (inout Publication, UnsafeMutableRawBufferPointer) throws(MediaError) -> Int
    ) throws {
        guard let slot = try lend(size) else { return }
        do throws(MediaError) {
            _ = try write(&publication, UnsafeMutableRawBufferPointer(start: slot.bytes, count: slot.count))
        } catch {
            node.cancel(slot)
            throw error
        }
        node.publish(slot)
    }

    /// Names an MTU that would do for the whole publication, not for this packet alone.
    private func tooLarge(_ size: Int) -> IPNError {
        let enough = max(size, PublishJob.mtu(for: publication.streams))
        return IPNError(
            .messageTooLong, node.path ?? "", "a message of \(size) bytes is over the network's MTU of \(node.options.mtu)",
            remedy: "make the network with an MTU of at least \(enough)")
    }

    /// A slot, waited for on a LOSSLESS network in short pieces, so that a stop is heard.
    /// - Returns: nil where a LOSSY network has none: the packet is lost to all.
    private func lend(_ size: Int) throws -> LentSlot? {
        while true {
            do throws(IPNError) {
                return try node.lend(size, timeout: .milliseconds(100))
            } catch {
                if error.errno == .messageTooLong { throw tooLarge(size) }
                guard error.errno == .resourceTemporarilyUnavailable else { throw error }
                if stop.isRaised { return nil }
            }
        }
    }
}
