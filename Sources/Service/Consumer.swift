import Glibc
package import IPN
package import Media
import SystemPackage

/// Where a consumer's packets go: a file, an address, a screen.
package protocol ConsumerSink: ~Copyable {
    /// A publication begins; what was before it is over.
    mutating func begin(_ streams: [StreamDescription]) throws(MediaError)
    /// Takes a packet. Its bytes lie in a neighbour's memory: they are copied before anything reads them twice.
    mutating func write(_ packet: CodedPacket, _ bytes: RawSpan) throws(MediaError)
    /// Whether the last packet went where it was to go: not where a server is away.
    var hasTaken: Bool { get }
    /// What has to happen by itself.
    mutating func tick() throws(MediaError) -> SinkTick
    /// Writes what belongs at the end.
    mutating func finish() throws(MediaError)
}

extension ConsumerSink where Self: ~Copyable {
    package var hasTaken: Bool { true }
    package mutating func tick() throws(MediaError) -> SinkTick { SinkTick() }
}

/// What a sink wants next.
package struct SinkTick: Sendable {
    /// When to be called again, in nanoseconds on CLOCK_MONOTONIC; nil for never.
    package var next: Int64?
    /// The user wants to leave.
    package var isOver = false
    /// It begins anew, and would do so with what a joiner begins with: the newest key frame that is there.
    package var beginsAnew = false

    package init(next: Int64? = nil, isOver: Bool = false, beginsAnew: Bool = false) {
        self.next = next
        self.isOver = isOver
        self.beginsAnew = beginsAnew
    }
}

/// How long to consume.
package struct ConsumeSettings: Sendable {
    /// Nanoseconds; nil until the end of the stream.
    package var duration: Int64?
    /// Wait for the next publisher when one has ended.
    package var follows = false
    /// Where to begin in what the publisher keeps.
    package var join = Join.last
    /// After a loss, go on at the newest key frame that is there already, instead of the next one.
    package var skipsToNewest = false
    /// Nanoseconds that a publisher which vanished without a word may be replaced within.
    package var patience: Int64 = 2_000_000_000

    package init() {}
}

/// Not all could be consumed; what was not, was said when it came.
package struct Incomplete: Error {}

/// Takes a publication from a network into a sink, from the next key frame on, until it ends.
package struct Consumer<Sink: ConsumerSink & ~Copyable>: ~Copyable {
    let node: Node
    package var sink: Sink
    let settings: ConsumeSettings
    private let stop: StopSignal
    private let pause: Pause
    package internal(set) var meter: ProgressMeter
    var gate = StreamGate()
    private var skew = StreamSkew(of: [])
    /// When we came, or went back, in nanoseconds on CLOCK_MONOTONIC: what is older was kept for us.
    var joined: Int64
    private var hadPublisher = false
    /// Nothing of the publication is wanted: it cannot be consumed.
    private var passesOver = false
    /// Some publication was passed over.
    private var isIncomplete = false
    /// Streams of which it was said that their packets have no time.
    private var timeless: Set<String> = []
    /// When to stop waiting for another publisher.
    private var giveUp: Int64?
    private var isOver = false
    /// Something was lost, and there may be a newer key frame already.
    var wantsNewest = false
    /// The last key frame that went through, of the stream at whose key frames one begins.
    var lastKey: (sequence: UInt64, sender: UInt64)?
    /// When the last picture that went through ends, nanoseconds by its time stamps; where there are none, the last packet.
    var lastEnd: Int64?
    /// Messages that `lostTime` tells of.
    private var toldLost: UInt64 = 0
    /// What `ipn show` is to print of us, until it was said.
    private var description: String?
    private let name: String

    /// - Parameters:
    ///   - node: connected for receiving, with the history where `settings.join` wants any.
    ///   - description: what `ipn show` prints.
    ///   - joined: when connecting began, in nanoseconds on CLOCK_MONOTONIC.
    package init(
        _ sink: consuming Sink, on node: Node, description: String, settings: ConsumeSettings, stop: StopSignal, meter: ProgressMeter,
        joined: Int64
    ) {
        self.description = description
        name = description.hasPrefix("ipn ") ? String(description.dropFirst(4)) : description
        self.sink = sink
        self.node = node
        self.settings = settings
        self.stop = stop
        pause = Pause(stop: stop)
        self.meter = meter
        self.joined = joined
    }

    /// Consumes until the stream's end, the duration, or a stop.
    /// - Throws: `MediaError` of the sink, `IPNError` of the network, `Incomplete`. The sink was finished then as far as it could.
    package mutating func run() throws {
        do {
            try consume()
        } catch {
            try? sink.finish()
            meter.finish()
            tellLosses()
            throw error
        }
        meter.finish()
        tellLosses()
        try sink.finish()
        if isIncomplete || (meter.progress.packets == 0 && !timeless.isEmpty) { throw Incomplete() }
    }

    /// Once, at the end, where nobody has watched it happen.
    private func tellLosses() {
        let progress = meter.progress
        guard meter.isUnseen, progress.lost > 0, progress.packets > 0 else { return }
        let time = progress.lostTime > 0 ? ", \((Double(progress.lostTime) / 1e9).rounded(to: 1)) s of the stream" : ""
        say("\(node.path ?? ""): \(progress.lost) messages were lost on the way to \(name)\(time)")
    }

    private mutating func consume() throws {
        let end = settings.duration.map { monotonicNanoseconds() + $0 }
        let descriptor = try node.fileDescriptor()
        try beginInHistory()
        while !stop.isRaised && !isOver {
            let now = monotonicNanoseconds()
            if let end, now >= end { return }
            meter.share()
            let tick = try sink.tick()
            if tick.isOver { return }
            if tick.beginsAnew { try returnToNewest() }
            if wantsNewest { try skipToNewest() }
            if meter.progress.began != 0 { try introduceOurselves() }
            if let message = try node.begin(timeout: .zero) {
                defer { node.end(message) }
                try take(message)
                continue
            }
            try introduceOurselves()
            mindAbsence(now)
            if let giveUp, now >= giveUp { return }
            if node.isNetworkGone { return }
            try pause.wait(for: descriptor, until: [end, tick.next, giveUp].compactMap { $0 }.min())
        }
    }

    /// Asks to hear who is there, and says who we are: the first packet does not wait for the keeper to answer that.
    private mutating func introduceOurselves() throws {
        guard let text = description else { return }
        description = nil
        try node.setWantsNumberOfNodes(true)
        try node.setDescription(text)
    }

    private mutating func take(_ message: ArrivedMessage) throws {
        if let counts = message.numberOfNodes {
            meter.progress.readers = counts.readers
            return
        }
        meter.progress.lost += message.lost
        // On a LOSSLESS network nothing is lost that a jump would make up for.
        if message.lost > 0 && settings.skipsToNewest && gate.epoch != 0 { wantsNewest = !node.options.isLossless }
        let span = RawSpan(_unsafeBytes: message.bytes)
        let verdict: StreamGate.Verdict
        do throws(MediaError) {
            verdict = try gate.receive(span)
        } catch {
            // Not media, or not of this version: whoever sends it is none of our publishers.
            meter.progress.lost += 1
            return
        }
        // Also one whose description was lost on the way: it is over when its sender leaves.
        hadPublisher = true
        switch verdict {
        case .newDescription(let streams):
            skew = StreamSkew(of: streams)
            (lastKey, lastEnd) = (nil, nil)
            passesOver = false
            try unlessForeign { sink throws(MediaError) in try sink.begin(streams) }
        case .deliver(let packet, let payload):
            if packet.isKey, packet.stream == gate.streams.firstIndex(where: \.isVideo) { lastKey = (message.sequence, message.sender) }
            noteTaken(packet)
            noteGap(before: packet)
            if passesOver { return }
            try unlessForeign { sink throws(MediaError) in try sink.write(packet, span.extracting(payload)) }
            if sink.hasTaken { meter.count(packet, payload.count, of: gate.streams) }
        case .drop(.noTime(let stream)): tellTimeless(gate.streams[stream])
        case .drop:
            break
        case .end:
            isOver = !settings.follows
        }
    }

    /// Has the sink do something. Where earlier publications were well, one whose codecs it cannot take is told of and passed over:
    /// there may be others.
    private mutating func unlessForeign(_ body: (inout Sink) throws(MediaError) -> Void) throws(MediaError) {
        do throws(MediaError) {
            try body(&sink)
        } catch {
            guard [.unsupportedCodec, .noStreams].contains(error.code), meter.progress.packets > 0, !stop.isRaised else { throw error }
            say("\(error)")
            (passesOver, isIncomplete) = (true, true)
        }
    }

    /// Nobody can say when such a packet is to be shown, and no container takes it.
    private mutating func tellTimeless(_ stream: StreamDescription) {
        guard timeless.insert("\(stream)").inserted else { return }
        say("\(node.path ?? ""): \(stream): packets without a time stamp are left out")
    }

    /// Tells whoever watches the network how late packets come, and us since when they do.
    private mutating func noteTaken(_ packet: CodedPacket) {
        let now = monotonicNanoseconds()
        if meter.progress.began == 0 {
            meter.progress.began = max(now - joined, 1)
            node.note(lostTime: 0)
        }
        // What was kept for us is as old as it is, which says nothing of how soon we are.
        guard let captured = packet.captureTime, captured >= joined else { return }
        node.note(delay: now - captured)
        skew.note(packet, taken: now)
        if let value = skew.value { node.note(skew: value) }
    }

    /// Counts the time of the stream that is missing for what was lost: from the end of the picture before it to the one after it.
    private mutating func noteGap(before packet: CodedPacket) {
        let stream = gate.streams[packet.stream]
        guard let ticks = packet.decodingTime, stream.isVideo || !gate.streams.contains(where: \.isVideo) else { return }
        let time = stream.timeBase.nanoseconds(ticks)
        let duration = packet.duration > 0 ? packet.duration : stream.packetTicks ?? 0
        defer { lastEnd = Int64(clamping: Int128(time) + Int128(stream.timeBase.nanoseconds(duration))) }
        let lost = meter.progress.lost &+ meter.progress.passedOver
        guard lost != toldLost else { return }
        toldLost = lost
        guard let lastEnd, time > lastEnd else { return }
        // Any numbers, of a stranger: no sum may trap.
        meter.progress.lostTime = Int64(clamping: Int128(meter.progress.lostTime) + Int128(time) - Int128(lastEnd))
        node.note(lostTime: UInt64(meter.progress.lostTime))
    }

    /// A publisher that vanishes without a word may be followed by another one; after a while nobody comes any more.
    /// Asked once everything was read: news of its leaving comes before what it has sent.
    private mutating func mindAbsence(_ now: Int64) {
        guard hadPublisher, !settings.follows, node.numberOfNodes.writers == 0 else { return giveUp = nil }
        giveUp = giveUp ?? now + settings.patience
    }
}
