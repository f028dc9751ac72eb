/// The publisher's side of the rules: one epoch, its streams, and the numbers of its messages.
///
/// Ask for the size, have the bus lend a slot of that size, write into it, publish. A message that was
/// written and then could not be published leaves a gap in the numbers, by which consumers know; one that
/// could not even be written is counted with `noteLost`.
public struct Publication: Sendable {
    /// Random; not 0.
    public let epoch: UInt64
    public let streams: [StreamDescription]
    private var sequence: UInt64 = 0
    /// The payload of descriptions, once there was one: they are sent each second, also by threads that may not allocate.
    private var description: [UInt8]?
    private var streamSequences: [UInt64]

    /// - Parameter epoch: for tests; otherwise random.
    public init(streams: [StreamDescription], epoch: UInt64 = .random(in: 1...UInt64.max)) {
        self.streams = streams
        self.epoch = epoch
        streamSequences = Array(repeating: 0, count: streams.count)
    }

    /// Octets of a description message.
    public var descriptionSize: Int { MediaMessage.encodedSize(of: streams) }
    /// Octets of an end message.
    public var endSize: Int { MediaMessage.encodedSize(payload: 0) }
    /// Octets of a message with a packet of `payload` octets.
    public func size(payload: Int) -> Int { MediaMessage.encodedSize(payload: payload) }

    /// Writes all streams; may be written as often as there are newcomers.
    /// - Throws: as `MediaMessage.encode(_:epoch:sequence:into:)`.
    @discardableResult
    public mutating func writeDescription(into room: UnsafeMutableRawBufferPointer) throws(MediaError) -> Int {
        let payload = if let description { description } else { try MediaMessage.descriptionPayload(of: streams) }
        description = payload
        let header = MediaHeader(.description, epoch: epoch, sequence: sequence, payloadSize: payload.count)
        let size = try MediaMessage.encode(header, payload: payload.span.bytes, into: room)
        sequence += 1
        return size
    }

    /// Writes a packet, or a raw picture or raw sound by the stream's codec.
    /// - Throws: `.messageTooLarge`; `.malformedMessage` if there is no such stream.
    @discardableResult
    public mutating func write(
        _ packet: CodedPacket, _ bytes: RawSpan, into room: UnsafeMutableRawBufferPointer
    ) throws(MediaError) -> Int {
        guard streams.indices.contains(packet.stream) else { throw .malformed("stream \(packet.stream)") }
        let stream = streams[packet.stream]
        let kind: MediaHeader.Kind =
            if stream.codec == "rawvideo" { .picture(packet) } else if stream.codec.hasPrefix("pcm_") { .sound(packet) } else { .packet(packet) }
        let header = MediaHeader(
            kind, epoch: epoch, sequence: sequence, streamSequence: streamSequences[packet.stream],
            timeBase: stream.timeBase, payloadSize: bytes.byteCount)
        let size = try MediaMessage.encode(header, payload: bytes, into: room)
        sequence += 1
        streamSequences[packet.stream] += 1
        return size
    }

    /// Writes that the publication is over.
    @discardableResult
    public mutating func writeEnd(into room: UnsafeMutableRawBufferPointer) throws(MediaError) -> Int {
        let header = MediaHeader(.end, epoch: epoch, sequence: sequence, payloadSize: 0)
        let size = try MediaMessage.encode(header, payload: RawSpan(), into: room)
        sequence += 1
        return size
    }

    /// Counts a packet that could not be written or published, so that consumers know it is missing.
    public mutating func noteLost(stream: Int) {
        guard streams.indices.contains(stream) else { return }
        sequence += 1
        streamSequences[stream] += 1
    }
}
