import CIPN

/// `struct ipn_media_stream` in memory: writing our own, and reading a stranger's.
extension StreamDescription {
    /// Octets of the record, and of the extradata with its padding.
    var encodedSize: Int { MemoryLayout<ipn_media_stream>.size + Self.padded(extradata.count) }

    static func padded(_ octets: Int) -> Int { (octets + 63) / 64 * 64 }

    /// - Throws: `.malformedMessage` if something does not fit: names too long, too much extradata.
    var record: ipn_media_stream {
        get throws(MediaError) {
            guard extradata.count <= Int(IPN_MEDIA_MAX_EXTRADATA) else {
                throw .malformed("\(extradata.count) octets of extradata")
            }
            var record = ipn_media_stream()
            record.index = UInt16(clamping: index)
            record.extradata_size = UInt32(extradata.count)
            record.codec_tag = codecTag
            record.disposition = disposition
            record.time_base_num = timeBase.numerator
            record.time_base_den = timeBase.denominator
            record.start_time = startTime ?? .min
            record.bit_rate = bitRate
            record.profile = profile ?? Self.unknownProfile
            record.level = level ?? Self.unknownProfile
            record.bits_per_coded_sample = bitsPerCodedSample
            record.bits_per_raw_sample = bitsPerRawSample
            try Self.put(codec, into: &record.codec, "codec")
            Self.putShortened(language, into: &record.language)
            Self.putShortened(title, into: &record.title)
            switch kind {
            case .video(let video):
                record.media = UInt16(IPN_MEDIA_VIDEO)
                try Self.put(video.pixelFormat, into: &record.format, "pixel format")
                record.put(video)
            case .audio(let audio):
                record.media = UInt16(IPN_MEDIA_AUDIO)
                try Self.put(audio.sampleFormat, into: &record.format, "sample format")
                try Self.put(audio.channelLayout, into: &record.channel_layout, "channel layout")
                record.put(audio)
            case .subtitle:
                record.media = UInt16(IPN_MEDIA_SUBTITLE)
            }
            return record
        }
    }

    /// - Throws: `.malformedMessage`, naming the field.
    init(_ record: ipn_media_stream, extradata: [UInt8]) throws(MediaError) {
        guard let timeBase = TimeBase(record.time_base_num, record.time_base_den) else {
            throw .malformed("time base \(record.time_base_num)/\(record.time_base_den)")
        }
        let codec = try Self.text(record.codec, "codec")
        guard !codec.isEmpty else { throw .malformed("a stream without a codec") }
        guard Self.isZero(record.reserved) else { throw .malformed("reserved words are set") }

        let kind: Kind
        switch Int(record.media) {
        case Int(IPN_MEDIA_VIDEO):
            kind = .video(try Video(record, pixelFormat: Self.text(record.format, "pixel format")))
        case Int(IPN_MEDIA_AUDIO):
            kind = .audio(
                try Audio(
                    record, sampleFormat: Self.text(record.format, "sample format"),
                    channelLayout: Self.text(record.channel_layout, "channel layout")))
        case Int(IPN_MEDIA_SUBTITLE): kind = .subtitle
        default: throw .malformed("a stream of unknown kind \(record.media)")
        }

        self.init(index: Int(record.index), kind: kind, codec: codec, timeBase: timeBase)
        codecTag = record.codec_tag
        disposition = record.disposition
        startTime = record.start_time == .min ? nil : record.start_time
        bitRate = max(0, record.bit_rate)
        profile = record.profile == Self.unknownProfile ? nil : record.profile
        level = record.level == Self.unknownProfile ? nil : record.level
        bitsPerCodedSample = try Self.bounded(record.bits_per_coded_sample, 0...1024, "bits per coded sample")
        bitsPerRawSample = try Self.bounded(record.bits_per_raw_sample, 0...1024, "bits per raw sample")
        language = try Self.text(record.language, "language")
        title = try Self.text(record.title, "title")
        self.extradata = extradata
    }

    private static var unknownProfile: Int32 { -99 }

    static func bounded(_ value: Int32, _ range: ClosedRange<Int32>, _ name: String) throws(MediaError) -> Int32 {
        guard range.contains(value) else { throw .malformed("\(name) \(value)") }
        return value
    }
}

extension ipn_media_stream {
    fileprivate mutating func put(_ video: StreamDescription.Video) {
        width = video.width
        height = video.height
        sample_aspect_num = video.sampleAspect.numerator
        sample_aspect_den = video.sampleAspect.denominator
        frame_rate_num = video.frameRate.numerator
        frame_rate_den = video.frameRate.denominator
        real_frame_rate_num = video.realFrameRate.numerator
        real_frame_rate_den = video.realFrameRate.denominator
        field_order = video.fieldOrder
        color_range = video.colorRange
        color_primaries = video.colorPrimaries
        color_transfer = video.colorTransfer
        color_space = video.colorSpace
        chroma_location = video.chromaLocation
        video_delay = video.delay
    }

    fileprivate mutating func put(_ audio: StreamDescription.Audio) {
        sample_rate = audio.sampleRate
        channels = audio.channels
        frame_size = audio.frameSize
        block_align = audio.blockAlign
        initial_padding = audio.initialPadding
        trailing_padding = audio.trailingPadding
        seek_preroll = audio.seekPreroll
    }
}

extension StreamDescription.Video {
    fileprivate init(_ record: ipn_media_stream, pixelFormat: String) throws(MediaError) {
        // Above any codec's limit, and small enough that no product of the two overflows.
        let side: ClosedRange<Int32> = 0...65536
        self.init(
            width: try StreamDescription.bounded(record.width, side, "width"),
            height: try StreamDescription.bounded(record.height, side, "height"), pixelFormat: pixelFormat)
        sampleAspect = try Ratio(record.sample_aspect_num, record.sample_aspect_den, "aspect ratio")
        frameRate = try Ratio(record.frame_rate_num, record.frame_rate_den, "frame rate")
        realFrameRate = try Ratio(record.real_frame_rate_num, record.real_frame_rate_den, "frame rate")
        // libavcodec indexes tables with these: what it does not know becomes "unspecified" in the adapter.
        let number: ClosedRange<Int32> = 0...255
        fieldOrder = try StreamDescription.bounded(record.field_order, number, "field order")
        colorRange = try StreamDescription.bounded(record.color_range, number, "colour range")
        colorPrimaries = try StreamDescription.bounded(record.color_primaries, number, "colour primaries")
        colorTransfer = try StreamDescription.bounded(record.color_transfer, number, "colour transfer")
        colorSpace = try StreamDescription.bounded(record.color_space, number, "colour space")
        chromaLocation = try StreamDescription.bounded(record.chroma_location, number, "chroma location")
        delay = try StreamDescription.bounded(record.video_delay, 0...64, "video delay")
    }
}

extension StreamDescription.Audio {
    fileprivate init(_ record: ipn_media_stream, sampleFormat: String, channelLayout: String) throws(MediaError) {
        let samples: ClosedRange<Int32> = 0...(1 << 24)
        self.init(
            sampleRate: try StreamDescription.bounded(record.sample_rate, 1...(1 << 28), "sample rate"),
            channels: try StreamDescription.bounded(record.channels, 1...512, "channels"),
            channelLayout: channelLayout, sampleFormat: sampleFormat)
        frameSize = try StreamDescription.bounded(record.frame_size, samples, "frame size")
        blockAlign = try StreamDescription.bounded(record.block_align, samples, "block align")
        initialPadding = try StreamDescription.bounded(record.initial_padding, samples, "initial padding")
        trailingPadding = try StreamDescription.bounded(record.trailing_padding, samples, "trailing padding")
        seekPreroll = try StreamDescription.bounded(record.seek_preroll, samples, "seek preroll")
    }
}

extension Ratio {
    fileprivate init(_ numerator: Int32, _ denominator: Int32, _ name: String) throws(MediaError) {
        guard numerator >= 0, denominator >= 0 else { throw .malformed("\(name) \(numerator)/\(denominator)") }
        self = numerator > 0 && denominator > 0 ? Ratio(numerator, denominator) : .unknown
    }
}
