import CLibAV
package import Media

/// A decoder for one stream, as its description asks for it.
package struct Decoder: ~Copyable {
    private let context: CodecContext
    private let packet: Packet
    package let frame: Frame
    package let timeBase: TimeBase

    /// - Throws: `.unsupportedCodec`, `.decodeFailed`.
    package init(_ stream: StreamDescription) throws(MediaError) {
        let mark = LogTail.mark()
        let parameters = try CodecParameters.of(stream)
        guard let codec = avcodec_find_decoder(parameters.pointer.pointee.codec_id) else {
            throw MediaError(.unsupportedCodec, object: stream.codec, what: "this libavcodec does not decode it")
        }
        let context = try CodecContext(codec)
        guard avcodec_parameters_to_context(context.pointer, parameters.pointer) >= 0 else { throw .noMemory("a decoder") }
        context.pointer.pointee.pkt_timebase = stream.timeBase.rational
        // Frame threads would hold a picture back for each thread.
        context.pointer.pointee.thread_type = FF_THREAD_SLICE
        context.pointer.pointee.thread_count = 0
        // Sizes in the stream itself are a stranger's too.
        context.pointer.pointee.max_pixels = 8192 * 8192
        let status = avcodec_open2(context.pointer, codec, nil)
        guard status >= 0 else {
            throw LibAVFailure.error(status, .decodeFailed, object: stream.codec, what: "the decoder cannot be opened", since: mark)
        }
        let packet = try Packet()
        self.frame = try Frame()
        self.packet = packet
        self.context = context
        timeBase = stream.timeBase
    }

    /// Takes a packet; `receive` until there is nothing more, before the next.
    /// - Returns: whether it made sense.
    package func send(_ coded: CodedPacket, _ bytes: RawSpan) throws(MediaError) -> Bool {
        // What was before it is missing: no picture may refer to that.
        if coded.isDiscontinuity { avcodec_flush_buffers(context.pointer) }
        try packet.copy(coded, bytes)
        return avcodec_send_packet(context.pointer, packet.pointer) >= 0
    }

    /// There will be no more packets.
    package func drain() { avcodec_send_packet(context.pointer, nil) }

    /// The next picture or piece of sound is in `frame`, until the next call.
    /// - Returns: false if it takes another packet.
    package func receive() -> Bool { avcodec_receive_frame(context.pointer, frame.pointer) == 0 }

    /// Whether the decoder has patched up what is in `frame`.
    package var isDamaged: Bool { frame.pointer.pointee.decode_error_flags != 0 || frame.pointer.pointee.flags & AV_FRAME_FLAG_CORRUPT != 0 }

    /// Of what is in `frame`, nanoseconds; nil if unknown.
    package var time: Int64? {
        let ticks = frame.pointer.pointee.best_effort_timestamp
        return ticks == clibav_no_pts() ? nil : timeBase.nanoseconds(ticks)
    }
}
