import CLibAV
import LibAVBase
import Media

/// An AVFormatContext that writes, with the AVIOContext under it.
struct OutputContext: ~Copyable {
    let pointer: UnsafeMutablePointer<AVFormatContext>
    /// The context borrows it: it has to outlive the closing.
    private let interruption: Interruption
    private enum Output { case none, memory, opened, own(ByteOutputContext) }
    private var output: Output = .none
    /// A header has been written, and all went well since.
    private var owesTrailer = false
    private var hasFlushed = false

    /// - Throws: `.unsupportedFormat`.
    init(_ destination: borrowing Destination, interruption: Interruption) throws(MediaError) {
        LogTail.install()
        var context: UnsafeMutablePointer<AVFormatContext>?
        let status = avformat_alloc_output_context2(&context, nil, destination.format, destination.address)
        guard status >= 0, let context else {
            throw MediaError(
                .unsupportedFormat, object: destination.url, what: "libavformat writes no format “\(destination.format)”",
                remedy: "`ffmpeg -muxers` lists what it writes")
        }
        context.pointee.interrupt_callback = interruption.callback
        pointer = context
        self.interruption = interruption
    }

    deinit {
        // Closing without a word still leaves a readable file, if writing had worked so far.
        if owesTrailer {
            interruption.setDeadline(in: 2_000_000_000)
            av_write_trailer(pointer)
        }
        switch output {
        case .none: break
        case .memory: clibav_discard_dyn_buf(pointer.pointee.pb)
        case .opened: avio_closep(&pointer.pointee.pb)
        case .own(let context): context.free()
        }
        withExtendedLifetime(interruption) { avformat_free_context(pointer) }
    }

    var format: UnsafePointer<AVOutputFormat> { UnsafePointer(pointer.pointee.oformat) }
    /// It opens what it writes itself: HLS, RTSP.
    var opensItself: Bool { format.pointee.flags & clibav_format_no_file() != 0 }

    func time(of position: Int) -> TimeBase? {
        guard let base = pointer.pointee.streams[position]?.pointee.time_base else { return nil }
        return TimeBase(base.num, base.den)
    }

    /// Adds a stream; refuses a codec that the container says it cannot hold.
    func add(_ stream: StreamDescription, _ destination: borrowing Destination) throws(MediaError) {
        let parameters = try CodecParameters.of(stream)
        guard Destination.holds(stream, destination.format, destination.options) else {
            throw MediaError(
                .unsupportedCodec, object: destination.url, what: "\(destination.format) cannot hold \(stream.codec)",
                remedy: destination.remedy + destination.choice(without: stream))
        }
        guard let output = avformat_new_stream(pointer, nil) else { throw .noMemory("a stream") }
        guard avcodec_parameters_copy(output.pointee.codecpar, parameters.pointer) >= 0 else { throw .noMemory("a stream") }
        let codec = parameters.pointer.pointee.codec_id
        // Raw pictures without a tag, as cameras have them, would be taken for those of the first one that a container knows.
        var tag = stream.codecTag
        if tag == 0, codec == AV_CODEC_ID_RAWVIDEO {
            tag = avcodec_pix_fmt_to_codec_tag(AVPixelFormat(parameters.pointer.pointee.format))
        }
        // A tag of another container's alphabet: the muxer finds its own. DASH has none, and hands what it is given to MP4.
        let alphabet = destination.format == "dash" ? av_guess_format("mp4", nil, nil) ?? format : format
        output.pointee.codecpar.pointee.codec_tag = clibav_tag_is_foreign(alphabet, codec, tag) != 0 ? 0 : tag
        output.pointee.time_base = stream.timeBase.rational
        output.pointee.disposition = Int32(bitPattern: stream.disposition)
        if let video = stream.video {
            output.pointee.avg_frame_rate = AVRational(num: video.frameRate.numerator, den: video.frameRate.denominator)
            output.pointee.r_frame_rate = AVRational(num: video.realFrameRate.numerator, den: video.realFrameRate.denominator)
            output.pointee.sample_aspect_ratio = AVRational(num: video.sampleAspect.numerator, den: video.sampleAspect.denominator)
        }
        for (key, value) in [("language", stream.language), ("title", stream.title)] where !value.isEmpty {
            av_dict_set(&output.pointee.metadata, key, value, 0)
        }
    }

    /// Writes into memory, which is thrown away.
    mutating func openMemory() throws(MediaError) {
        guard avio_open_dyn_buf(&pointer.pointee.pb) >= 0 else { throw .noMemory("a header") }
        output = .memory
    }

    /// Writes into a file that is open already.
    mutating func open(file: CInt) throws(MediaError) {
        guard avio_open(&pointer.pointee.pb, "file:/proc/self/fd/\(file)", AVIO_FLAG_WRITE) >= 0 else { throw .noMemory("a trial") }
        output = .opened
    }

    /// Writes into something of ours.
    mutating func open(into own: any ByteOutput) throws(MediaError) {
        let context = try ByteOutputContext(own)
        pointer.pointee.pb = context.pointer
        output = .own(context)
    }

    /// Opens the file or the connection, unless the format does that itself.
    mutating func open(_ destination: borrowing Destination, _ options: inout OptionDictionary) throws(MediaError) {
        guard !opensItself else { return }
        let mark = LogTail.mark()
        var callback = interruption.callback
        let status = avio_open2(&pointer.pointee.pb, destination.address, AVIO_FLAG_WRITE, &callback, &options.pointer)
        guard status >= 0 else {
            throw LibAVFailure.error(
                status, .cannotOpen, object: destination.url, what: "cannot be opened for writing",
                remedy: destination.path == nil ? "check the address, and that somebody listens there" : "", isInput: false, since: mark,
                interruption: interruption)
        }
        output = .opened
    }

    /// - Throws: `.invalidOption`, `.unsupportedCodec`, and what writing throws.
    mutating func writeHeader(_ destination: borrowing Destination, _ options: inout OptionDictionary) throws(MediaError) {
        let mark = LogTail.mark()
        let status = avformat_write_header(pointer, &options.pointer)
        guard status >= 0 else {
            // Those that open their connection themselves do it here.
            if opensItself && destination.path == nil {
                throw LibAVFailure.error(
                    status, .cannotOpen, object: destination.url, what: "cannot be opened for writing", isInput: false,
                    since: mark, interruption: interruption)
            }
            let codecs = destination.streams.map(\.codec).joined(separator: ", ")
            throw LibAVFailure.error(
                status, .unsupportedCodec, object: destination.url, what: "\(destination.format) does not take \(codecs)",
                remedy: destination.remedy + destination.choice(), isInput: false, since: mark, interruption: interruption)
        }
        let unused = options.unused
        guard unused.isEmpty else {
            throw MediaError(
                .invalidOption, object: destination.url, what: "\(destination.format) knows no option \(unused.joined(separator: ", "))",
                remedy: "`ffmpeg -h muxer=\(destination.format)` lists them")
        }
        if case .memory = output { return }
        owesTrailer = true
    }

    /// Takes what `packet` holds.
    mutating func write(_ packet: borrowing Packet) -> Int32 {
        var status: Int32
        if case .own = output {
            status = av_write_frame(pointer, packet.pointer)
            // What the container would gather in a cluster or a page goes out now.
            if status >= 0 { status = av_write_frame(pointer, nil) }
        } else {
            status = av_interleaved_write_frame(pointer, packet.pointer)
        }
        if status < 0 { owesTrailer = false }
        return status
    }

    /// Writes all that is held back: here for the sake of order, and by the muxer for a fragment, a cluster or a page.
    mutating func flush() -> Int32 {
        var status = av_interleaved_write_frame(pointer, nil)
        if status >= 0 { status = av_write_frame(pointer, nil) }
        if status >= 0, !hasFlushed {
            // A moov that waited for the first packets (delay_moov) was all that came. A track that has none yet
            // begins later: its first fragment says when (frag_discont), as the edit list cannot any more.
            status = av_write_frame(pointer, nil)
            av_opt_set(pointer.pointee.priv_data, "movflags", "+frag_discont", 0)
        }
        hasFlushed = true
        if status < 0 { owesTrailer = false }
        return status
    }

    mutating func writeTrailer() -> Int32 {
        owesTrailer = false
        return av_write_trailer(pointer)
    }

    /// Closes the file: what the system had held back may fail here.
    mutating func close() -> Int32 {
        guard case .opened = output else { return 0 }
        output = .none
        return avio_closep(&pointer.pointee.pb)
    }
}
