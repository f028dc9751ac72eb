import CIPN

/// The payload of a description: all streams of the publication.
extension MediaMessage {
    /// Octets of a whole description message.
    public static func encodedSize(of streams: [StreamDescription]) -> Int {
        encodedSize(payload: payloadSize(of: streams))
    }

    private static func payloadSize(of streams: [StreamDescription]) -> Int {
        streams.reduce(MemoryLayout<ipn_media_publication>.size) { $0 + $1.encodedSize }
    }

    /// Writes a description message.
    /// - Returns: octets written, `encodedSize(of:)`.
    /// - Throws: `.messageTooLarge`; `.malformedMessage` if the streams are not numbered 0, 1, … or cannot be described.
    @discardableResult
    public static func encode(
        _ streams: [StreamDescription], epoch: UInt64, sequence: UInt64, into room: UnsafeMutableRawBufferPointer
    ) throws(MediaError) -> Int {
        let payload = try descriptionPayload(of: streams)
        let header = MediaHeader(.description, epoch: epoch, sequence: sequence, payloadSize: payload.count)
        return try encode(header, payload: payload.span.bytes, into: room)
    }

    /// The payload alone, which is the same each time.
    static func descriptionPayload(of streams: [StreamDescription]) throws(MediaError) -> [UInt8] {
        guard 1...Int(IPN_MEDIA_MAX_STREAMS) ~= streams.count else { throw .malformed("\(streams.count) streams") }
        var payload = [UInt8]()
        payload.reserveCapacity(payloadSize(of: streams))
        var publication = ipn_media_publication()
        publication.stream_count = UInt32(streams.count)
        publication.record_size = UInt32(MemoryLayout<ipn_media_stream>.size)
        withUnsafeBytes(of: &publication) { payload.append(contentsOf: $0) }
        for (position, stream) in streams.enumerated() {
            guard stream.index == position else { throw .malformed("stream \(stream.index) in place \(position)") }
            var record = try stream.record
            withUnsafeBytes(of: &record) { payload.append(contentsOf: $0) }
            payload.append(contentsOf: stream.extradata)
            let gap = StreamDescription.padded(stream.extradata.count) - stream.extradata.count
            payload.append(contentsOf: repeatElement(0, count: gap))
        }
        return payload
    }

    /// Reads the payload of a description.
    /// - Parameter payload: what `decode` pointed out in a message whose kind is `.description`.
    /// - Throws: `.malformedMessage`.
    public static func decodeStreams(_ payload: RawSpan) throws(MediaError) -> [StreamDescription] {
        let head = MemoryLayout<ipn_media_publication>.size
        let known = MemoryLayout<ipn_media_stream>.size
        guard payload.byteCount >= head else { throw .malformed("a description of \(payload.byteCount) octets") }
        let publication = payload.load(ipn_media_publication.self, at: 0, default: ipn_media_publication())
        guard StreamDescription.isZero(publication.reserved) else { throw .malformed("reserved words are set") }
        let count = Int(publication.stream_count)
        guard 1...Int(IPN_MEDIA_MAX_STREAMS) ~= count else { throw .malformed("\(count) streams") }
        let recordSize = Int(publication.record_size)
        guard recordSize >= known, recordSize % 64 == 0, recordSize <= payload.byteCount else {
            throw .malformed("stream records of \(recordSize) octets")
        }

        var streams: [StreamDescription] = []
        var offset = head
        for position in 0..<count {
            guard recordSize <= payload.byteCount - offset else { throw .malformed("stream \(position) is cut off") }
            let record = payload.load(ipn_media_stream.self, at: offset, default: ipn_media_stream())
            guard Int(record.index) == position else { throw .malformed("stream \(record.index) in place \(position)") }
            offset += recordSize
            let size = Int(record.extradata_size)
            guard size <= Int(IPN_MEDIA_MAX_EXTRADATA), StreamDescription.padded(size) <= payload.byteCount - offset
            else { throw .malformed("\(size) octets of extradata") }
            let extradata = payload.extracting(offset..<offset + size).withUnsafeBytes { [UInt8]($0) }
            offset += StreamDescription.padded(size)
            streams.append(try StreamDescription(record, extradata: extradata))
        }
        return streams
    }
}
