public import Media

/// A source whose streams are coded anew before anybody sees them: instead of what they were, or beside it.
///
/// Where the source's streams change, what is coded of them goes on as the same streams if they come out the same. Not for two
/// threads at once.
public struct CodedSource<Base: PacketSource & ~Copyable>: ~Copyable, PacketSource {
    /// What is coded comes first where the source's own streams stand beside it: so players take it.
    public private(set) var streams: [StreamDescription]
    public private(set) var generation = 0
    public private(set) var base: Base

    private let settings: CodingSettings
    private let isBeside: Bool
    private var plan: CodingPlan
    private var made = MadePackets()
    private var captureTimes: [CaptureTrack]
    /// By the source's index: units that are missing before the next packet of the coded stream.
    private var lost: [UInt32]
    /// The packet handed out last is the source's own, and lies there.
    private var lendsFromBase = false
    /// The first of the source's new streams: it waits until what was made of the old ones is taken.
    private var waiting: CodedPacket?
    private var baseGeneration: Int
    private var isOver = false

    /// - Parameter isBeside: whether what is coded anew is there as it was as well.
    /// - Throws: `.unsupportedCodec` for an encoder or a decoder that this libavcodec lacks, `.encodeFailed`; `.invalidOption`
    ///   where there is nothing for a coder that is named.
    public init(_ base: consuming Base, _ settings: CodingSettings, isBeside: Bool) throws(MediaError) {
        let sources = base.streams
        for (coding, what, isThere) in [
            (settings.video, "are no pictures", sources.contains { $0.isVideo }), (settings.audio, "is no sound", sources.contains { $0.isAudio }),
        ] where !isThere {
            if let coding { throw MediaError(.invalidOption, object: coding.encoder, what: "there \(what) to code") }
        }
        plan = try CodingPlan(sources, settings, isBeside: isBeside)
        streams = plan.streams
        captureTimes = sources.map { CaptureTrack(timeBase: $0.timeBase) }
        lost = Array(repeating: 0, count: sources.count)
        baseGeneration = base.generation
        self.settings = settings
        self.isBeside = isBeside
        self.base = base
    }

    /// - Throws: what the source does, `.encodeFailed`, `.outOfMemory`.
    public mutating func next() throws(MediaError) -> CodedPacket? {
        while true {
            if let packet = made.next() {
                lendsFromBase = false
                return complete(packet)
            }
            if isOver { return nil }
            if let packet = waiting.take() {
                try beginAnew()
                if let packet = try take(packet) { return packet }
                continue
            }
            guard let packet = try base.next() else {
                isOver = true
                try plan.transcoder.finish(into: &made)
                continue
            }
            if base.generation != baseGeneration {
                waiting = packet
                try plan.transcoder.finish(into: &made)
            } else if let packet = try take(packet) {
                return packet
            }
        }
    }

    public func withBytes<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        lendsFromBase ? try base.withBytes(body) : try made.withBytes(body)
    }

    public mutating func requestKeyFrame() {
        plan.transcoder.requestKeyFrame()
        base.requestKeyFrame()
    }

    public var makesKeyFrames: Bool { settings.video != nil || base.makesKeyFrames }
    public mutating func listen(to descriptor: CInt) { base.listen(to: descriptor) }
    public var isAway: Bool { base.isAway }
    public var comesWhenAsked: Bool { base.comesWhenAsked }

    /// What was coded and nobody has seen is not wanted any more.
    public mutating func rest() {
        made.removeAll()
        base.rest()
    }

    private mutating func beginAnew() throws(MediaError) {
        baseGeneration = base.generation
        plan = try CodingPlan(base.streams, settings, isBeside: isBeside)
        captureTimes = base.streams.map { CaptureTrack(timeBase: $0.timeBase) }
        lost = Array(repeating: 0, count: base.streams.count)
        guard !plan.streams.goOn(with: streams) else { return }
        streams = plan.streams
        generation += 1
    }

    /// Codes what is to be coded.
    /// - Returns: the packet itself where that is wanted.
    private mutating func take(_ packet: CodedPacket) throws(MediaError) -> CodedPacket? {
        if plan.coded[packet.stream] != nil {
            captureTimes[packet.stream].note(packet)
            lost[packet.stream] &+= packet.lost
            try base.withBytes { bytes throws(MediaError) in try plan.transcoder.write(packet, bytes, into: &made) }
            lost[packet.stream] &+= plan.transcoder.takeLost(of: packet.stream)
        }
        guard let index = plan.plain[packet.stream] else { return nil }
        var packet = packet
        packet.stream = index
        lendsFromBase = true
        return packet
    }

    /// What the coder does not know of a packet that it has made. What is missing before it breaks no picture behind it: the
    /// encoder has never seen it either.
    private mutating func complete(_ packet: CodedPacket) -> CodedPacket {
        let source = packet.stream
        var packet = packet
        packet.stream = plan.coded[source] ?? source
        if let time = packet.pts { packet.captureTime = captureTimes[source].capture(of: streams[packet.stream].timeBase.nanoseconds(time)) }
        packet.lost = lost[source]
        lost[source] = 0
        return packet
    }
}
