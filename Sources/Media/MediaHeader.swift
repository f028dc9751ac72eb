import CIPN

/// `struct ipn_media_header` after its checks: what stands in front of a message's payload.
public struct MediaHeader: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        /// All streams of the publication.
        case description
        /// For a decoder.
        case packet(CodedPacket)
        /// One raw picture.
        case picture(CodedPacket)
        /// Interleaved raw samples.
        case sound(CodedPacket)
        /// The publication is over.
        case end
    }

    public var kind: Kind
    /// One publication of one publisher; not 0.
    public var epoch: UInt64
    /// Counts the messages of the epoch, from 0.
    public var sequence: UInt64
    /// Counts the messages of the epoch that belong to this stream, from 0.
    public var streamSequence: UInt64
    /// The ticks of `pts`, `dts` and `duration`; nil in a message without a stream.
    public var timeBase: TimeBase?
    /// Octets.
    public var payloadSize: Int

    public init(
        _ kind: Kind, epoch: UInt64, sequence: UInt64, streamSequence: UInt64 = 0, timeBase: TimeBase? = nil,
        payloadSize: Int
    ) {
        self.kind = kind
        self.epoch = epoch
        self.sequence = sequence
        self.streamSequence = streamSequence
        self.timeBase = timeBase
        self.payloadSize = payloadSize
    }

    /// Time stamps and flags; nil in a message without a stream.
    public var packet: CodedPacket? {
        switch kind {
        case .packet(let packet), .picture(let packet), .sound(let packet): packet
        case .description, .end: nil
        }
    }
}

extension MediaHeader {
    /// The record as it goes into memory.
    var record: ipn_media_header {
        var record = ipn_media_header()
        record.magic = UInt32(IPN_MEDIA_MAGIC)
        record.version = UInt16(IPN_MEDIA_VERSION)
        record.header_size = UInt16(MemoryLayout<ipn_media_header>.size)
        record.type = UInt16(truncatingIfNeeded: type)
        record.stream = UInt16(IPN_MEDIA_NO_STREAM)
        record.epoch = epoch
        record.sequence = sequence
        record.stream_sequence = streamSequence
        record.pts = .min
        record.dts = .min
        record.capture_time_ns = .min
        record.payload_size = UInt64(payloadSize)
        if let packet {
            record.stream = UInt16(clamping: packet.stream)
            record.flags = packet.flags
            record.pts = packet.pts ?? .min
            record.dts = packet.dts ?? .min
            record.duration = packet.duration
            record.capture_time_ns = packet.captureTime ?? .min
            record.lost = packet.lost
            record.time_base_num = timeBase?.numerator ?? 0
            record.time_base_den = timeBase?.denominator ?? 0
        }
        return record
    }

    private var type: Int {
        switch kind {
        case .description: Int(IPN_MEDIA_DESCRIPTION)
        case .packet: Int(IPN_MEDIA_PACKET)
        case .picture: Int(IPN_MEDIA_PICTURE)
        case .sound: Int(IPN_MEDIA_SOUND)
        case .end: Int(IPN_MEDIA_END)
        }
    }

    /// - Throws: `.malformedMessage`, naming the field.
    init(_ record: ipn_media_header) throws(MediaError) {
        guard record.flags & ~UInt32(IPN_MEDIA_FLAGS) == 0 else { throw .malformed("unknown flags") }
        guard record.epoch != 0 else { throw .malformed("epoch 0") }
        guard record.duration >= 0 else { throw .malformed("negative duration") }
        let reserved = record.reserved
        guard record.reserved0 == 0, reserved == (0, 0, 0, 0) else { throw .malformed("reserved words are set") }
        guard let payloadSize = Int(exactly: record.payload_size) else { throw .malformed("payload size") }

        epoch = record.epoch
        sequence = record.sequence
        streamSequence = record.stream_sequence
        self.payloadSize = payloadSize

        switch Int(record.type) {
        case Int(IPN_MEDIA_DESCRIPTION): kind = .description
        case Int(IPN_MEDIA_END): kind = .end
        case Int(IPN_MEDIA_PACKET): kind = .packet(CodedPacket(record))
        case Int(IPN_MEDIA_PICTURE): kind = .picture(CodedPacket(record))
        case Int(IPN_MEDIA_SOUND): kind = .sound(CodedPacket(record))
        default: throw .malformed("unknown type \(record.type)")
        }

        if packet == nil {
            guard record.stream == UInt16(IPN_MEDIA_NO_STREAM) else { throw .malformed("a stream where none belongs") }
            timeBase = nil
        } else {
            guard record.stream < UInt16(IPN_MEDIA_MAX_STREAMS) else { throw .malformed("stream \(record.stream)") }
            guard let timeBase = TimeBase(record.time_base_num, record.time_base_den) else {
                throw .malformed("time base \(record.time_base_num)/\(record.time_base_den)")
            }
            self.timeBase = timeBase
        }
    }
}

extension CodedPacket {
    fileprivate var flags: UInt32 {
        (isKey ? UInt32(IPN_MEDIA_KEY) : 0)
            | (isDiscontinuity ? UInt32(IPN_MEDIA_DISCONTINUITY) : 0)
            | (isCorrupt ? UInt32(IPN_MEDIA_CORRUPT) : 0)
    }

    fileprivate init(_ record: ipn_media_header) {
        stream = Int(record.stream)
        pts = record.pts == .min ? nil : record.pts
        dts = record.dts == .min ? nil : record.dts
        duration = record.duration
        isKey = record.flags & UInt32(IPN_MEDIA_KEY) != 0
        isDiscontinuity = record.flags & UInt32(IPN_MEDIA_DISCONTINUITY) != 0
        isCorrupt = record.flags & UInt32(IPN_MEDIA_CORRUPT) != 0
        captureTime = record.capture_time_ns == .min ? nil : record.capture_time_ns
        lost = record.lost
    }
}

extension MediaError {
    static func malformed(_ what: String) -> MediaError {
        MediaError(.malformedMessage, what: "not a media message: \(what)")
    }
}
