package import CLibAV
package import Media

/// An AVCodecParameters of our own.
package struct CodecParameters: ~Copyable {
    package let pointer: UnsafeMutablePointer<AVCodecParameters>

    /// Empty ones.
    package init() throws(MediaError) {
        LogTail.install()
        guard let pointer = avcodec_parameters_alloc() else { throw .noMemory("codec parameters") }
        self.pointer = pointer
    }

    /// Those of a stream. Not an initializer, because one that throws once `self` is whole does not compile.
    /// - Throws: `.unsupportedCodec` if this libavcodec has never heard of it.
    package static func of(_ stream: StreamDescription) throws(MediaError) -> CodecParameters {
        let parameters = try CodecParameters()
        try parameters.fill(stream)
        return parameters
    }

    deinit {
        var pointer: UnsafeMutablePointer<AVCodecParameters>? = pointer
        avcodec_parameters_free(&pointer)
    }

    private func fill(_ stream: StreamDescription) throws(MediaError) {
        guard let descriptor = avcodec_descriptor_get_by_name(stream.codec) else {
            throw MediaError(
                .unsupportedCodec, object: stream.codec, what: "this libavcodec does not know the codec",
                remedy: "use the publisher's version of FFmpeg")
        }
        pointer.pointee.codec_id = descriptor.pointee.id
        pointer.pointee.codec_type = descriptor.pointee.type
        pointer.pointee.codec_tag = stream.codecTag
        pointer.pointee.bit_rate = stream.bitRate
        pointer.pointee.profile = stream.profile ?? clibav_unknown_profile()
        pointer.pointee.level = stream.level ?? clibav_unknown_profile()
        pointer.pointee.bits_per_coded_sample = stream.bitsPerCodedSample
        pointer.pointee.bits_per_raw_sample = stream.bitsPerRawSample
        try fill(extradata: stream.extradata)
        switch stream.kind {
        case .video(let video): fill(video)
        case .audio(let audio): try fill(audio)
        case .subtitle: break
        }
        guard pointer.pointee.codec_type == stream.mediaType else {
            throw MediaError(.unsupportedCodec, object: stream.codec, what: "the codec is not for that kind of stream")
        }
    }

    private func fill(extradata: [UInt8]) throws(MediaError) {
        guard !extradata.isEmpty else { return }
        // Parsers read past the end: the padding is part of libavcodec's contract.
        guard let copy = av_mallocz(extradata.count + Int(AV_INPUT_BUFFER_PADDING_SIZE)) else { throw .noMemory("extradata") }
        extradata.withUnsafeBytes { copy.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        pointer.pointee.extradata = copy.assumingMemoryBound(to: UInt8.self)
        pointer.pointee.extradata_size = Int32(extradata.count)
    }

    private func fill(_ video: StreamDescription.Video) {
        pointer.pointee.format = av_get_pix_fmt(video.pixelFormat).rawValue
        pointer.pointee.width = video.width
        pointer.pointee.height = video.height
        pointer.pointee.sample_aspect_ratio = AVRational(num: video.sampleAspect.numerator, den: video.sampleAspect.denominator)
        pointer.pointee.video_delay = video.delay
        // Numbers from a newer FFmpeg, or a liar, would be looked up in tables: what has no name here is unspecified.
        if video.fieldOrder <= Int32(AV_FIELD_BT.rawValue) {
            pointer.pointee.field_order = AVFieldOrder(UInt32(video.fieldOrder))
        }
        let range = AVColorRange(UInt32(video.colorRange))
        if av_color_range_name(range) != nil { pointer.pointee.color_range = range }
        let primaries = AVColorPrimaries(UInt32(video.colorPrimaries))
        if av_color_primaries_name(primaries) != nil { pointer.pointee.color_primaries = primaries }
        let transfer = AVColorTransferCharacteristic(UInt32(video.colorTransfer))
        if av_color_transfer_name(transfer) != nil { pointer.pointee.color_trc = transfer }
        let space = AVColorSpace(UInt32(video.colorSpace))
        if av_color_space_name(space) != nil { pointer.pointee.color_space = space }
        let location = AVChromaLocation(UInt32(video.chromaLocation))
        if av_chroma_location_name(location) != nil { pointer.pointee.chroma_location = location }
    }

    private func fill(_ audio: StreamDescription.Audio) throws(MediaError) {
        pointer.pointee.format = av_get_sample_fmt(audio.sampleFormat).rawValue
        pointer.pointee.sample_rate = audio.sampleRate
        pointer.pointee.frame_size = audio.frameSize
        pointer.pointee.block_align = audio.blockAlign
        pointer.pointee.initial_padding = audio.initialPadding
        pointer.pointee.trailing_padding = audio.trailingPadding
        pointer.pointee.seek_preroll = audio.seekPreroll
        var layout = AVChannelLayout()
        defer { av_channel_layout_uninit(&layout) }
        // A layout that does not fit the count is worse than none: code loops over either.
        // "2 channels" says no more than their number.
        if av_channel_layout_from_string(&layout, audio.channelLayout) < 0 || layout.nb_channels != audio.channels
            || layout.order == AV_CHANNEL_ORDER_UNSPEC
        {
            av_channel_layout_uninit(&layout)
            av_channel_layout_default(&layout, audio.channels)
        }
        guard av_channel_layout_copy(&pointer.pointee.ch_layout, &layout) == 0 else { throw .noMemory("a channel layout") }
    }
}

extension StreamDescription {
    fileprivate var mediaType: AVMediaType {
        switch kind {
        case .video: AVMEDIA_TYPE_VIDEO
        case .audio: AVMEDIA_TYPE_AUDIO
        case .subtitle: AVMEDIA_TYPE_SUBTITLE
        }
    }
}
