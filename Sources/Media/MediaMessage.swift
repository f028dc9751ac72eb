import CIPN

/// A header and a payload, as they lie in a slot of the bus: `ipn_media.h` in Swift.
///
/// RT safe, except where a description is written or read: nothing else allocates.
public enum MediaMessage {
    /// Octets in front of the payload as this version writes them.
    public static var headerSize: Int { MemoryLayout<ipn_media_header>.size }

    /// The octets of a message: the MTU that a network needs to carry it.
    /// - Parameter payload: octets, at least 0.
    public static func encodedSize(payload: Int) -> Int { headerSize + payload }

    /// Writes a header and copies the payload after it.
    /// - Parameter header: its `payloadSize` is taken from `payload`.
    /// - Returns: octets written, `encodedSize(payload:)`.
    /// - Throws: `.messageTooLarge`, naming the MTU that it would need.
    @discardableResult
    public static func encode(
        _ header: MediaHeader, payload: RawSpan, into room: UnsafeMutableRawBufferPointer
    ) throws(MediaError) -> Int {
        let size = encodedSize(payload: payload.byteCount)
        guard room.count >= size, let base = room.baseAddress else { throw .tooLarge(size: size, room: room.count) }
        var header = header
        header.payloadSize = payload.byteCount
        var record = header.record
        withUnsafeBytes(of: &record) { base.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        payload.withUnsafeBytes { bytes in
            if let from = bytes.baseAddress { (base + headerSize).copyMemory(from: from, byteCount: bytes.count) }
        }
        return size
    }

    /// Reads and checks the header; where the payload lies is checked against `bytes`, never trusted.
    /// - Parameter bytes: a whole message, which its writer may still be changing.
    /// - Returns: the header, and where in `bytes` the payload is.
    /// - Throws: `.malformedMessage` or `.unsupportedVersion`.
    public static func decode(_ bytes: RawSpan) throws(MediaError) -> (header: MediaHeader, payload: Range<Int>) {
        guard bytes.byteCount >= headerSize else { throw .malformed("\(bytes.byteCount) octets") }
        // The one read of shared memory; from here on only the copy is looked at.
        let record = bytes.load(ipn_media_header.self, at: 0, default: ipn_media_header())
        guard record.magic == UInt32(IPN_MEDIA_MAGIC) else { throw .malformed("no magic number") }
        guard record.version == UInt16(IPN_MEDIA_VERSION) else {
            throw MediaError(
                .unsupportedVersion, what: "a message of version \(record.version), this is version \(IPN_MEDIA_VERSION)",
                remedy: "use the same release for publisher and consumer")
        }
        let start = Int(record.header_size)
        guard start >= headerSize, start % 64 == 0 else { throw .malformed("a header of \(start) octets") }
        let header = try MediaHeader(record)
        guard start <= bytes.byteCount, header.payloadSize <= bytes.byteCount - start else {
            throw .malformed("\(header.payloadSize) octets of payload in a message of \(bytes.byteCount)")
        }
        return (header, start..<start + header.payloadSize)
    }
}

extension MediaError {
    static func tooLarge(size: Int, room: Int) -> MediaError {
        MediaError(
            .messageTooLarge, what: "a message of \(size) octets does not fit in \(room)",
            remedy: "set the network's MTU to at least \(size)")
    }
}

extension RawSpan {
    /// A copy of a C record out of possibly shared, possibly unaligned memory.
    /// - Parameter default: any value; it is overwritten.
    func load<Record: BitwiseCopyable>(_ type: Record.Type, at offset: Int, default: Record) -> Record {
        var copy = `default`
        let part = extracting(offset..<offset + MemoryLayout<Record>.size)
        withUnsafeMutableBytes(of: &copy) { room in
            part.withUnsafeBytes { room.copyMemory(from: $0) }
        }
        return copy
    }
}
