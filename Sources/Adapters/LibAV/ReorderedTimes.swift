import CLibAV
import LibAVBase
import Media

/// Time stamps for a file of bare H.264 or HEVC whose pictures are reordered, which has none: by the rate that it names, and by the
/// order in which its pictures say that they are shown. libavformat leaves that to whoever decodes.
///
/// Not for two threads at once.
struct ReorderedTimes: ~Copyable {
    private let parser: UnsafeMutablePointer<AVCodecParserContext>
    private let context: CodecContext
    private let stream: StreamDescription
    /// A picture's length.
    private let frame: TimeBase
    private var order: PictureOrder
    private var packets = PacketQueue()
    /// Nothing comes any more.
    private var isOver = false

    /// - Returns: nil where that is not the matter with it.
    init?(_ streams: [StreamDescription]) {
        guard streams.count == 1, let video = streams[0].video, video.delay > 0, video.frameRate.isKnown,
            ["h264", "hevc"].contains(streams[0].codec),
            let frame = TimeBase(video.frameRate.denominator, video.frameRate.numerator),
            let descriptor = avcodec_descriptor_get_by_name(streams[0].codec),
            let codec = avcodec_find_decoder(descriptor.pointee.id),
            let context = try? CodecContext(codec),
            let parser = av_parser_init(Int32(descriptor.pointee.id.rawValue))
        else { return nil }
        // What libavformat hands out is whole pictures already.
        parser.pointee.flags |= PARSER_FLAG_COMPLETE_FRAMES
        self.parser = parser
        self.context = context
        self.frame = frame
        stream = streams[0]
        order = PictureOrder(delay: video.delay)
    }

    deinit { av_parser_close(parser) }

    /// Takes over the next picture, which has no times.
    mutating func take(_ packet: borrowing Packet) {
        var (octets, count) = (UnsafeMutablePointer<UInt8>?.none, Int32(0))
        av_parser_parse2(
            parser, context.pointer, &octets, &count, packet.pointer.pointee.data, packet.pointer.pointee.size, clibav_no_pts(),
            clibav_no_pts(), 0)
        let isRefresh = packet.withBytes { Self.isRefresh($0, stream.codec) }
        order.take(Int64(parser.pointee.output_picture_number), isRefresh: isRefresh)
        packets.append(packet)
    }

    /// Nothing comes any more: what waits is all there is.
    mutating func end() { isOver = true }

    /// Nothing waits any more.
    var isEmpty: Bool { order.isEmpty }

    /// Hands over the next picture whose times are known, with these.
    /// - Returns: false where more have to come first.
    mutating func takeFirst(into packet: borrowing Packet) -> Bool {
        guard !order.isEmpty, isOver || order.isSettled, packets.takeFirst(into: packet) else { return false }
        let place = order.placeFirst()
        packet.pointer.pointee.dts = stream.timeBase.ticks(place.decoded, from: frame)
        packet.pointer.pointee.pts = stream.timeBase.ticks(place.shown, from: frame)
        if packet.pointer.pointee.duration == 0 { packet.pointer.pointee.duration = stream.timeBase.ticks(1, from: frame) }
        return true
    }

    /// Whether a picture's first slice is of the kind that begins anew: what lies in front of it are parameters and remarks.
    private static func isRefresh(_ picture: RawSpan, _ codec: String) -> Bool {
        picture.withUnsafeBytes { bytes in
            var position = 0
            while position + 3 < bytes.count {
                guard bytes[position] == 0, bytes[position + 1] == 0, bytes[position + 2] == 1 else {
                    position += 1
                    continue
                }
                let header = bytes[position + 3]
                // Table 7-1 of both: IDR and, of HEVC, what begins a stream that was cut.
                if codec == "h264", (1...5).contains(header & 31) { return header & 31 == 5 }
                if codec == "hevc", header >> 1 & 63 < 32 { return (16...20).contains(header >> 1 & 63) }
                position += 4
            }
            return false
        }
    }
}
