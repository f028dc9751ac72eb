import CLibAV
import LibAVBase
import Media

/// Pictures decoded, brought to another size, and coded anew.
final class PictureTranscoder: TrackTranscoder {
    let description: StreamDescription
    private let decoder: Decoder
    private var scaler: Scaler
    private let encoder: Encoder
    private let size: PictureSize
    private let format: AVPixelFormat
    private let index: Int
    private var last: Int64?
    private var wantsKeyFrame = false
    private var lost: UInt32 = 0
    private var damage: UInt64 = 0

    init(_ source: StreamDescription, _ video: StreamDescription.Video, _ coding: Coding, _ settings: CodingSettings) throws(MediaError) {
        let codec = try EncoderChoice.find(coding.encoder, AVMEDIA_TYPE_VIDEO)
        let size = settings.size ?? PictureSize(width: video.width, height: video.height)
        let format = Self.format(of: codec)
        let rate = video.frameRate.isKnown ? video.frameRate : Ratio(25, 1)
        let decoder = try Decoder(source)
        let encoder = try Encoder(codec, headersAside: settings.keepsHeadersAside, options: EncoderChoice.options(for: codec)) { context in
            context.pointee.width = size.width
            context.pointee.height = size.height
            context.pointee.pix_fmt = format
            context.pointee.framerate = AVRational(num: rate.numerator, den: rate.denominator)
            // Fine enough for pictures that come unevenly. MPEG's old ones take their rate from it.
            let isOld = [AV_CODEC_ID_MPEG1VIDEO, AV_CODEC_ID_MPEG2VIDEO, AV_CODEC_ID_MPEG4, AV_CODEC_ID_MJPEG].contains(codec.pointee.id)
            context.pointee.time_base = isOld ? AVRational(num: rate.denominator, den: rate.numerator) : AVRational(num: 1, den: 60_000)
            context.pointee.sample_aspect_ratio = Self.aspect(video, size)
            // One processor does for what is small, and leaves the others to whoever looks.
            let isLarge = Double(size.width) * Double(size.height) * rate.value > 1280 * 720 * 30
            context.pointee.thread_count = isLarge ? 0 : 1
            context.pointee.gop_size = max(1, Int32(rate.value * 2))
            context.pointee.max_b_frames = 0
            // JPEG knows the full range alone.
            context.pointee.color_range = format == AV_PIX_FMT_YUVJ420P ? AVCOL_RANGE_JPEG : AVColorRange(UInt32(video.colorRange))
            // A tenth of a bit for each pixel of each picture.
            let usual = Int64(Double(size.width) * Double(size.height) * rate.value / 10)
            context.pointee.bit_rate = coding.bitRate ?? usual
            context.pointee.rc_max_rate = context.pointee.bit_rate
            context.pointee.rc_buffer_size = Int32(clamping: context.pointee.bit_rate)
        }
        var description = try encoder.description(of: source)
        if case .video(var made) = description.kind {
            made.frameRate = video.frameRate
            made.realFrameRate = video.realFrameRate
            description.kind = .video(made)
        }
        self.scaler = try Scaler(to: format)
        self.description = description
        self.decoder = decoder
        self.encoder = encoder
        self.size = size
        self.format = format
        index = source.index
    }

    func write<Sink: PacketSink & ~Copyable>(_ packet: CodedPacket, _ bytes: RawSpan, into sink: inout Sink) throws(MediaError) {
        // What makes no sense to the decoder is missing from the picture, and no reason to end.
        guard try decoder.send(packet, bytes) else {
            damage += 1
            return lost += 1
        }
        try takePictures(into: &sink)
    }

    func finish<Sink: PacketSink & ~Copyable>(into sink: inout Sink) throws(MediaError) {
        decoder.drain()
        try takePictures(into: &sink)
        try encoder.encode(nil, stream: index, into: &sink)
    }

    func requestKeyFrame() { wantsKeyFrame = true }

    func takeDamage() -> UInt64 {
        defer { damage = 0 }
        return damage
    }

    func takeLost() -> UInt32 {
        defer { lost = 0 }
        return lost
    }

    private func takePictures<Sink: PacketSink & ~Copyable>(into sink: inout Sink) throws(MediaError) {
        while decoder.receive() {
            let source = decoder.frame.pointer
            if decoder.isDamaged { damage += 1 }
            guard let time = decoder.time else {
                lost += 1
                continue
            }
            let ticks = av_rescale_q(time, AVRational(num: 1, den: 1_000_000_000), encoder.timeBase)
            // Two pictures for one tick: the second would have no time of its own.
            if let last, ticks <= last {
                lost += 1
                continue
            }
            let fits = source.pointee.width == size.width && source.pointee.height == size.height && source.pointee.format == format.rawValue
            guard let picture = fits ? source : scaler.scale(source, width: size.width, height: size.height) else {
                lost += 1
                continue
            }
            last = ticks
            picture.pointee.pts = ticks
            // How it was coded before says nothing of how it will be.
            picture.pointee.pict_type = wantsKeyFrame ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE
            wantsKeyFrame = false
            try encoder.encode(picture, stream: index, into: &sink)
        }
    }

    /// What everybody's decoder knows, where the encoder can.
    private static func format(of codec: UnsafePointer<AVCodec>) -> AVPixelFormat {
        if codec.pointee.id == AV_CODEC_ID_MJPEG { return AV_PIX_FMT_YUVJ420P }
        guard let formats = codec.pointee.pix_fmts else { return AV_PIX_FMT_YUV420P }
        var next = formats
        while next.pointee != AV_PIX_FMT_NONE {
            if next.pointee == AV_PIX_FMT_YUV420P { return AV_PIX_FMT_YUV420P }
            next += 1
        }
        return formats.pointee
    }

    /// Keeps the picture's shape, whatever the new size.
    private static func aspect(_ video: StreamDescription.Video, _ size: PictureSize) -> AVRational {
        let old = video.sampleAspect.isKnown ? video.sampleAspect : Ratio(1, 1)
        var aspect = AVRational()
        let width = Int64(old.numerator) * Int64(video.width) * Int64(size.height)
        let height = Int64(old.denominator) * Int64(video.height) * Int64(size.width)
        av_reduce(&aspect.num, &aspect.den, width, height, 1 << 16)
        return aspect
    }
}
