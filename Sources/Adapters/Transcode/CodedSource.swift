public import Media

/// A source whose streams are coded anew before anybody sees them: instead of what they were, or beside it.
///
/// Not for two threads at once.
public struct CodedSource<Base: PacketSource & ~Copyable>: ~Copyable, PacketSource {
    /// What is coded comes first where the source's own streams stand beside it: so players take it.
    public let streams: [StreamDescription]
    public private(set) var base: Base

    private let transcoder: Transcoder
    /// By the source's index: ours of the coded stream, and of what stays as it is; nil for what there is not.
    private let coded: [Int?]
    private let plain: [Int?]
    private var made = MadePackets()
    private var captureTimes: [CaptureTrack]
    /// By the source's index: units that are missing before the next packet of the coded stream.
    private var lost: [UInt32]
    /// The packet handed out last is the source's own, and lies there.
    private var lendsFromBase = false
    private var isOver = false

    /// - Parameter isBeside: whether what is coded anew is there as it was as well.
    /// - Throws: `.unsupportedCodec` for an encoder or a decoder that this libavcodec lacks, `.encodeFailed`; `.invalidOption`
    ///   where there is nothing for a coder that is named.
    public init(_ base: consuming Base, _ settings: CodingSettings, isBeside: Bool) throws(MediaError) {
        let sources = base.streams
        for (coding, kind, isThere) in [
            (settings.video, "are no pictures", sources.contains { $0.isVideo }), (settings.audio, "is no sound", sources.contains { $0.isAudio }),
        ] where !isThere {
            if let coding { throw MediaError(.invalidOption, object: coding.encoder, what: "there \(kind) to code") }
        }
        let transcoder = try Transcoder(sources, settings)
        var streams: [StreamDescription] = []
        func place(_ stream: StreamDescription) -> Int {
            var stream = stream
            stream.index = streams.count
            streams.append(stream)
            return stream.index
        }
        if isBeside {
            coded = sources.map { transcoder.codes($0.index) ? place(transcoder.streams[$0.index]) : nil }
            plain = sources.map { place($0) }
        } else {
            let places = transcoder.streams.map { place($0) }
            coded = sources.map { transcoder.codes($0.index) ? places[$0.index] : nil }
            plain = sources.map { transcoder.codes($0.index) ? nil : places[$0.index] }
        }
        self.streams = streams
        self.transcoder = transcoder
        captureTimes = sources.map { CaptureTrack(timeBase: $0.timeBase) }
        lost = Array(repeating: 0, count: sources.count)
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
            guard var packet = try base.next() else {
                isOver = true
                try transcoder.finish(into: &made)
                continue
            }
            if coded[packet.stream] != nil { try code(packet) }
            if let index = plain[packet.stream] {
                packet.stream = index
                lendsFromBase = true
                return packet
            }
        }
    }

    public func withBytes<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        lendsFromBase ? try base.withBytes(body) : try made.withBytes(body)
    }

    public mutating func requestKeyFrame() {
        transcoder.requestKeyFrame()
        base.requestKeyFrame()
    }

    /// What was coded and nobody has seen is not wanted any more.
    public mutating func rest() {
        made.removeAll()
        base.rest()
    }

    private mutating func code(_ packet: CodedPacket) throws(MediaError) {
        captureTimes[packet.stream].note(packet)
        lost[packet.stream] &+= packet.lost
        try base.withBytes { bytes throws(MediaError) in try transcoder.write(packet, bytes, into: &made) }
        lost[packet.stream] &+= transcoder.takeLost(of: packet.stream)
    }

    /// What the coder does not know of a packet that it has made. What is missing before it breaks no picture behind it: the
    /// encoder has never seen it either.
    private mutating func complete(_ packet: CodedPacket) -> CodedPacket {
        let source = packet.stream
        var packet = packet
        packet.stream = coded[source] ?? source
        if let time = packet.pts { packet.captureTime = captureTimes[source].capture(of: streams[packet.stream].timeBase.nanoseconds(time)) }
        packet.lost = lost[source]
        lost[source] = 0
        return packet
    }
}
