import CLibAV
import LibAVBase
import Media

/// An opened encoder.
struct Encoder: ~Copyable {
    let context: CodecContext
    private let packet: Packet
    private let name: String

    /// - Parameter configure: sets what has to be set before it is opened.
    /// - Throws: `.unsupportedCodec`, `.encodeFailed`.
    init(
        _ codec: UnsafePointer<AVCodec>, headersAside: Bool, options: [(key: String, value: String)],
        configure: (UnsafeMutablePointer<AVCodecContext>) -> Void
    ) throws(MediaError) {
        let mark = LogTail.mark()
        let name = String(cString: codec.pointee.name)
        let context = try CodecContext(codec)
        configure(context.pointer)
        if headersAside { context.pointer.pointee.flags |= clibav_codec_global_header() }
        var dictionary = OptionDictionary(options)
        let status = avcodec_open2(context.pointer, codec, &dictionary.pointer)
        guard status >= 0 else {
            throw LibAVFailure.error(status, .encodeFailed, object: name, what: "the encoder cannot be opened", since: mark)
        }
        packet = try Packet()
        self.context = context
        self.name = name
    }

    var timeBase: AVRational { context.pointer.pointee.time_base }

    /// What it makes, at the place of the stream that it is made of.
    func description(of source: StreamDescription) throws(MediaError) -> StreamDescription {
        let parameters = try CodecParameters()
        guard avcodec_parameters_from_context(parameters.pointer, context.pointer) >= 0,
            var description = StreamDescription(parameters.pointer, index: source.index, timeBase: timeBase)
        else { throw MediaError(.encodeFailed, object: name, what: "the encoder does not describe itself") }
        description.startTime = source.startTime.map { description.timeBase.ticks($0, from: source.timeBase) }
        description.disposition = source.disposition
        description.language = source.language
        description.title = source.title
        return description
    }

    /// Codes a frame, or what is held back where there is none, and hands on all packets that are ready.
    func encode<Sink: PacketSink & ~Copyable>(
        _ frame: UnsafeMutablePointer<AVFrame>?, stream: Int, into sink: inout Sink
    ) throws(MediaError) {
        let mark = LogTail.mark()
        var status = avcodec_send_frame(context.pointer, frame)
        while status >= 0 {
            status = avcodec_receive_packet(context.pointer, packet.pointer)
            guard status >= 0 else { break }
            let description = packet.description(stream: stream)
            try packet.withBytes { bytes throws(MediaError) in try sink.write(description, bytes) }
        }
        guard status == clibav_error_again() || status == clibav_error_eof() else {
            throw LibAVFailure.error(status, .encodeFailed, object: name, what: "cannot be encoded", since: mark)
        }
    }
}
