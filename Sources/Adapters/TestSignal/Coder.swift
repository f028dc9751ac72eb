import CLibAV
import LibAVBase
import Media

/// An encoder and the packet that it made last.
struct Coder: ~Copyable {
    let context: CodecContext
    let packet: Packet
    private let stream: Int
    private var isFilled = false

    /// - Parameters:
    ///   - names: of encoders or codecs, best first; the first that exists is taken.
    ///   - options: for each encoder its own.
    ///   - configure: sets what has to be set before it is opened.
    init(
        _ names: [String], _ type: AVMediaType, stream: Int, options: [String: [(key: String, value: String)]],
        configure: (UnsafeMutablePointer<AVCodecContext>, String) -> Void
    ) throws(MediaError) {
        let mark = LogTail.mark()
        var found: (name: String, codec: UnsafePointer<AVCodec>)?
        for name in names where found == nil { found = Self.encoder(name).map { (String(cString: $0.pointee.name), $0) } }
        guard let found else {
            throw MediaError(
                .unsupportedCodec, object: "test signal", what: "this libavcodec has no encoder \(names.joined(separator: ", "))",
                remedy: "`ffmpeg -encoders` lists what it has")
        }
        guard found.codec.pointee.type == type else {
            throw MediaError(.unsupportedCodec, object: "test signal", what: "\(found.name) is not for that kind of stream")
        }
        let context = try CodecContext(found.codec)
        configure(context.pointer, found.name)
        // The headers go into the description, once, for whoever joins.
        context.pointer.pointee.flags |= clibav_codec_global_header()
        var dictionary = OptionDictionary(options[found.name] ?? [])
        let status = avcodec_open2(context.pointer, found.codec, &dictionary.pointer)
        guard status >= 0 else {
            throw LibAVFailure.error(status, .encodeFailed, object: "test signal", what: "\(found.name) cannot be opened", since: mark)
        }
        self.packet = try Packet()
        self.context = context
        self.stream = stream
    }

    /// `libx264` and `h264` alike.
    private static func encoder(_ name: String) -> UnsafePointer<AVCodec>? {
        avcodec_find_encoder_by_name(name)
            ?? avcodec_descriptor_get_by_name(name).flatMap { avcodec_find_encoder($0.pointee.id) }
    }

    func description(index: Int) throws(MediaError) -> StreamDescription {
        let parameters = try CodecParameters()
        guard avcodec_parameters_from_context(parameters.pointer, context.pointer) >= 0,
            var description = StreamDescription(parameters.pointer, index: index, timeBase: context.pointer.pointee.time_base)
        else { throw MediaError(.encodeFailed, object: "test signal", what: "the encoder does not describe itself") }
        description.startTime = 0
        return description
    }

    /// The packet that waits to be given out, made of as many frames as it takes.
    /// - Parameter feed: fills and sends one frame with `send`, or nothing at the end.
    mutating func peek(_ feed: (borrowing CodecContext) throws(MediaError) -> Bool) throws(MediaError) -> CodedPacket? {
        while !isFilled {
            let mark = LogTail.mark()
            let status = avcodec_receive_packet(context.pointer, packet.pointer)
            if status == clibav_error_eof() { return nil }
            if status == 0 {
                isFilled = true
            } else if status == clibav_error_again() {
                if try !feed(context) {
                    avcodec_send_frame(context.pointer, nil)
                }
            } else {
                throw LibAVFailure.error(status, .encodeFailed, object: "test signal", what: "cannot be encoded", since: mark)
            }
        }
        return packet.description(stream: stream)
    }

    /// The packet has been given out.
    mutating func consumePacket() { isFilled = false }
}

extension CodecContext {
    func send(_ frame: UnsafeMutablePointer<AVFrame>) throws(MediaError) {
        let mark = LogTail.mark()
        let status = avcodec_send_frame(pointer, frame)
        guard status >= 0 else {
            throw LibAVFailure.error(status, .encodeFailed, object: "test signal", what: "cannot be encoded", since: mark)
        }
    }
}
