import LibAV
import Media

/// Carries a source through the message format of the bus into a sink: every packet is written into a slot
/// of exactly its size, and read back through the gate. The consumer joins after `skip` packets.
enum Pump {
    struct Result { var packets = 0; var lost: UInt64 = 0 }

    static func through<Source: PacketSource & ~Copyable>(
        _ source: inout Source, skip: Int = 0, limit: Int = .max,
        open: ([StreamDescription]) throws -> Void, packet: (CodedPacket, RawSpan) throws -> Void
    ) throws -> Result {
        var publication = Publication(streams: source.streams)
        var gate = StreamGate()
        var result = Result()
        for _ in 0..<skip {
            guard let missed = try source.next() else { break }
            publication.noteLost(stream: missed.stream)
        }
        try slot(publication.descriptionSize) {
            try publication.writeDescription(into: $0)
        } read: { bytes in
            guard case .newDescription(let streams) = try gate.receive(bytes) else { throw MediaError(.readFailed, what: "no description") }
            try open(streams)
        }
        while result.packets < limit, let next = try source.next() {
            try source.withBytes { payload in
                try slot(publication.size(payload: payload.byteCount)) {
                    try publication.write(next, payload, into: $0)
                } read: { bytes in
                    if case .deliver(let delivered, let range) = try gate.receive(bytes) {
                        try packet(delivered, bytes.extracting(range))
                        result.packets += 1
                    }
                }
            }
        }
        result.lost = gate.lostCount
        return result
    }

    private static func slot(
        _ size: Int, write: (UnsafeMutableRawBufferPointer) throws -> Int, read: (RawSpan) throws -> Void
    ) throws {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 64)
        defer { room.deallocate() }
        let written = try write(room)
        guard written == size else { throw MediaError(.malformedMessage, what: "wrote \(written) of \(size)") }
        try read(UnsafeRawBufferPointer(room).bytes)
    }
}

/// A muxer that is opened later; closures cannot hold one that is not copyable.
final class Recorder {
    private var muxer: Muxer?

    func open(_ url: String, _ streams: [StreamDescription], options: [(key: String, value: String)] = []) throws {
        muxer = try Muxer(url: url, streams: streams, options: options)
    }

    func write(_ packet: CodedPacket, _ bytes: RawSpan) throws { try muxer!.write(packet, bytes) }

    func finish() throws {
        try muxer!.finish()
        muxer = nil
    }

    /// Goes without a word.
    func drop() { muxer = nil }
}
