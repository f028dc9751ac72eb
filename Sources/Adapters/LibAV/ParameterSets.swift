import CLibAV
import LibAVBase

/// What a codec needs ahead of its first packet, taken out of a key frame that carries it, as those of transport streams do.
enum ParameterSets {
    /// - Parameters:
    ///   - packet: a key frame.
    ///   - parameters: of its stream.
    /// - Returns: nil where there are none in it.
    static func of(_ packet: borrowing Packet, _ parameters: UnsafePointer<AVCodecParameters>) -> [UInt8]? {
        guard let filter = av_bsf_get_by_name("extract_extradata"), let copy = try? Packet(),
            av_packet_ref(copy.pointer, packet.pointer) >= 0
        else { return nil }
        var context: UnsafeMutablePointer<AVBSFContext>?
        defer { av_bsf_free(&context) }
        guard av_bsf_alloc(filter, &context) >= 0, let context, avcodec_parameters_copy(context.pointee.par_in, parameters) >= 0,
            av_bsf_init(context) >= 0, av_bsf_send_packet(context, copy.pointer) >= 0, av_bsf_receive_packet(context, copy.pointer) >= 0
        else { return nil }
        return copy.newExtradata
    }
}
