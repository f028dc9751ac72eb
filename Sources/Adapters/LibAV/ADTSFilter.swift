import CLibAV
import LibAVBase
import Media

/// AAC as transport streams have it, with a header in front of each packet (ADTS), made what everybody else has: packets without, and
/// one header for all (AudioSpecificConfig, ISO 14496-3). MP4, Matroska, FLV and RTP have no room for the former.
///
/// Not for two threads at once.
final class ADTSFilter {
    private let context: UnsafeMutablePointer<AVBSFContext>
    /// The header for all; empty where none was found.
    private(set) var config: [UInt8] = []
    /// A packet has come, with a header or without.
    private(set) var hasLooked = false

    /// - Returns: nil for what is no AAC, for AAC whose header is known, and for streams of which nothing has come.
    init?(_ parameters: UnsafePointer<AVCodecParameters>) {
        guard parameters.pointee.codec_id == AV_CODEC_ID_AAC, parameters.pointee.extradata_size == 0, parameters.pointee.sample_rate > 0
        else { return nil }
        var context: UnsafeMutablePointer<AVBSFContext>?
        guard let filter = av_bsf_get_by_name("aac_adtstoasc"), av_bsf_alloc(filter, &context) >= 0, let context else { return nil }
        self.context = context
        guard avcodec_parameters_copy(context.pointee.par_in, parameters) >= 0, av_bsf_init(context) >= 0 else { return nil }
    }

    deinit {
        var context: UnsafeMutablePointer<AVBSFContext>? = context
        av_bsf_free(&context)
    }

    /// Finds the header for all in a packet, which stays as it is.
    func look(at packet: borrowing Packet) {
        guard !hasLooked, let copy = try? Packet(), av_packet_ref(copy.pointer, packet.pointer) >= 0 else { return }
        hasLooked = true
        _ = strip(copy)
    }

    /// Takes the header off a packet; one without stays as it is.
    /// - Returns: false where the header cannot be understood: the packet is gone then.
    func strip(_ packet: borrowing Packet) -> Bool {
        let hasHeader = packet.withBytes { $0.byteCount >= 7 && $0.unsafeLoad(fromByteOffset: 0, as: UInt8.self) == 0xff }
        guard hasHeader else { return true }
        guard av_bsf_send_packet(context, packet.pointer) >= 0, av_bsf_receive_packet(context, packet.pointer) >= 0 else { return false }
        if config.isEmpty { config = packet.newExtradata ?? [] }
        return true
    }
}

/// The streams of an input whose packets have headers of their own.
struct SoundHeaders: ~Copyable {
    /// Read already, while headers were looked for.
    var ahead = PacketQueue()
    /// By libavformat's index.
    private let filters: [ADTSFilter?]

    /// Reads until each stream of AAC has shown its header, where it carries that in its packets: libavformat has read that far
    /// already, to know the stream at all.
    init(_ input: borrowing InputContext) throws(MediaError) {
        let filters = input.streams.map { stream in stream.flatMap { ADTSFilter($0.pointee.codecpar) } }
        let packet = try Packet()
        for _ in 0..<1000 where filters.contains(where: { $0?.hasLooked == false }) {
            guard av_read_frame(input.pointer, packet.pointer) >= 0 else { break }
            let position = Int(packet.pointer.pointee.stream_index)
            if filters.indices.contains(position) { filters[position]?.look(at: packet) }
            ahead.append(packet)
        }
        // Without it the packets are worth more with their own.
        self.filters = filters.map { $0.flatMap { $0.config.isEmpty ? nil : $0 } }
    }

    /// One for all packets of a stream; nil where they have none, and where there is one already.
    func header(of position: Int) -> [UInt8]? { filters.indices.contains(position) ? filters[position]?.config : nil }

    /// Takes the header off a packet that has one.
    /// - Returns: as `ADTSFilter.strip`.
    func strip(_ packet: borrowing Packet) -> Bool {
        let position = Int(packet.pointer.pointee.stream_index)
        guard filters.indices.contains(position), let filter = filters[position] else { return true }
        return filter.strip(packet)
    }
}
