import Media

/// Packets that a coder has made, in order, until they are taken. The room is kept.
struct MadePackets: PacketSink {
    private var packets: [(packet: CodedPacket, place: Range<Int>)] = []
    private var octets: [UInt8] = []
    private var position = 0
    private var place = 0..<0

    mutating func write(_ packet: CodedPacket, _ bytes: RawSpan) throws(MediaError) {
        let start = octets.count
        bytes.withUnsafeBytes { octets.append(contentsOf: $0) }
        packets.append((packet, start..<octets.count))
    }

    mutating func finish() throws(MediaError) {}

    /// Goes on to the next one; what was taken before is dropped.
    mutating func next() -> CodedPacket? {
        guard position < packets.count else {
            removeAll()
            return nil
        }
        defer { position += 1 }
        place = packets[position].place
        return packets[position].packet
    }

    /// Lends the bytes of the packet that `next` returned last.
    func withBytes<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        try body(octets.span.bytes.extracting(place))
    }

    mutating func removeAll() {
        packets.removeAll(keepingCapacity: true)
        octets.removeAll(keepingCapacity: true)
        position = 0
        place = 0..<0
    }
}
