package import CLibAV
package import Media

/// A description made of what libav knows of a stream.
extension StreamDescription {
    /// - Returns: nil for what is not carried: data, attachments, unknown codecs.
    package init?(_ parameters: UnsafePointer<AVCodecParameters>, index: Int, timeBase: AVRational) {
        let parameters = parameters.pointee
        guard let timeBase = TimeBase(timeBase.num, timeBase.den),
            let descriptor = avcodec_descriptor_get(parameters.codec_id)
        else { return nil }
        let kind: Kind
        switch parameters.codec_type {
        case AVMEDIA_TYPE_VIDEO: kind = .video(Video(parameters))
        case AVMEDIA_TYPE_AUDIO: kind = .audio(Audio(parameters))
        case AVMEDIA_TYPE_SUBTITLE: kind = .subtitle
        default: return nil
        }
        self.init(index: index, kind: kind, codec: String(cString: descriptor.pointee.name), timeBase: timeBase)
        codecTag = parameters.codec_tag
        bitRate = max(0, parameters.bit_rate)
        profile = parameters.profile == clibav_unknown_profile() ? nil : parameters.profile
        level = parameters.level == clibav_unknown_profile() ? nil : parameters.level
        bitsPerCodedSample = max(0, parameters.bits_per_coded_sample)
        bitsPerRawSample = max(0, parameters.bits_per_raw_sample)
        if let data = parameters.extradata, parameters.extradata_size > 0 {
            extradata = Array(UnsafeBufferPointer(start: data, count: Int(parameters.extradata_size)))
        }
    }
}

extension StreamDescription.Video {
    fileprivate init(_ parameters: AVCodecParameters) {
        let name = av_get_pix_fmt_name(AVPixelFormat(parameters.format))
        self.init(width: parameters.width, height: parameters.height, pixelFormat: name.map { String(cString: $0) } ?? "")
        sampleAspect = Ratio(parameters.sample_aspect_ratio)
        fieldOrder = Int32(parameters.field_order.rawValue)
        colorRange = Int32(parameters.color_range.rawValue)
        colorPrimaries = Int32(parameters.color_primaries.rawValue)
        colorTransfer = Int32(parameters.color_trc.rawValue)
        colorSpace = Int32(parameters.color_space.rawValue)
        chromaLocation = Int32(parameters.chroma_location.rawValue)
        delay = max(0, parameters.video_delay)
    }
}

extension StreamDescription.Audio {
    fileprivate init(_ parameters: AVCodecParameters) {
        var layout = parameters.ch_layout
        let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            // A layout whose description is longer goes by its number of channels.
            let length = av_channel_layout_describe(&layout, buffer.baseAddress, buffer.count)
            return length > 0 && length <= buffer.count ? String(cString: buffer.baseAddress!) : ""
        }
        let name = av_get_sample_fmt_name(AVSampleFormat(parameters.format))
        self.init(
            sampleRate: parameters.sample_rate, channels: parameters.ch_layout.nb_channels, channelLayout: text,
            sampleFormat: name.map { String(cString: $0) } ?? "")
        frameSize = max(0, parameters.frame_size)
        blockAlign = max(0, parameters.block_align)
        initialPadding = max(0, parameters.initial_padding)
        trailingPadding = max(0, parameters.trailing_padding)
        seekPreroll = max(0, parameters.seek_preroll)
    }
}

extension Ratio {
    package init(_ ratio: AVRational) {
        self = ratio.num > 0 && ratio.den > 0 ? Ratio(ratio.num, ratio.den) : .unknown
    }
}

extension TimeBase {
    package var rational: AVRational { AVRational(num: numerator, den: denominator) }
}
