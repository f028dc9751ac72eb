import CLibAV
import LibAVBase
import Media

extension SignalSettings {
    /// More than one processor codes in time.
    fileprivate var isLarge: Bool { Double(width) * Double(height) * frameRate.value > 1280 * 720 * 30 }
}

/// Draws and codes the pictures.
struct PictureEncoder: ~Copyable {
    var coder: Coder
    private let picture: TestPicture
    private let settings: SignalSettings
    private var count: Int64 = 0
    private var wantsKeyFrame = false

    init(_ settings: SignalSettings) throws(MediaError) {
        self.settings = settings
        let rate = settings.frameRate
        let interval = settings.keyFrameInterval > 0 ? settings.keyFrameInterval : max(1, Int32(rate.value.rounded()))
        let coder = try Coder(
            settings.videoCodec.map { [$0] } ?? ["libx264", "libopenh264", "mpeg4"], AVMEDIA_TYPE_VIDEO, stream: 0, options: Self.options
        ) { context, name in
            context.pointee.width = settings.width
            context.pointee.height = settings.height
            context.pointee.pix_fmt = AV_PIX_FMT_YUV420P
            context.pointee.time_base = AVRational(num: rate.denominator, den: rate.numerator)
            context.pointee.framerate = AVRational(num: rate.numerator, den: rate.denominator)
            context.pointee.sample_aspect_ratio = AVRational(num: 1, den: 1)
            context.pointee.gop_size = interval
            context.pointee.max_b_frames = 0
            context.pointee.color_range = AVCOL_RANGE_MPEG
            context.pointee.color_primaries = AVCOL_PRI_BT709
            context.pointee.color_trc = AVCOL_TRC_BT709
            context.pointee.colorspace = AVCOL_SPC_BT709
            // One does for what is small, and leaves the others to whoever looks.
            context.pointee.thread_count = settings.isLarge ? 0 : 1
            // Where there is no constant quality: enough for bars and digits.
            if name != "libx264" && name != "rawvideo" { context.pointee.bit_rate = Int64(settings.width) * Int64(settings.height) * 5 }
        }
        self.picture = try TestPicture(settings)
        self.coder = coder
    }

    /// Nothing is held back, and a picture that is asked for is one where decoding may start.
    private static let options = [
        "libx264": [("preset", "veryfast"), ("tune", "zerolatency"), ("forced-idr", "1"), ("crf", "23")],
        "libx265": [("preset", "ultrafast"), ("tune", "zerolatency"), ("forced-idr", "1"), ("x265-params", "log-level=none")],
        "libvpx": [("deadline", "realtime"), ("cpu-used", "8"), ("lag-in-frames", "0")],
        "libvpx-vp9": [("deadline", "realtime"), ("cpu-used", "8"), ("lag-in-frames", "0")],
        "libaom-av1": [("usage", "realtime"), ("cpu-used", "8"), ("lag-in-frames", "0")],
        // The bars are of limited range, which JPEG's own standard does not know.
        "mjpeg": [("strict", "unofficial")],
    ]

    func description(index: Int) throws(MediaError) -> StreamDescription {
        var description = try coder.description(index: index)
        if case .video(var video) = description.kind {
            video.frameRate = settings.frameRate
            video.realFrameRate = settings.frameRate
            description.kind = .video(video)
        }
        return description
    }

    mutating func requestKeyFrame() { wantsKeyFrame = true }

    mutating func peek() throws(MediaError) -> CodedPacket? {
        var (count, wantsKeyFrame) = (count, wantsKeyFrame)
        defer { (self.count, self.wantsKeyFrame) = (count, wantsKeyFrame) }
        let rate = settings.frameRate
        let timeBase = TimeBase(rate.denominator, rate.numerator)!
        let limit = settings.duration
        let packet = try coder.peek { context throws(MediaError) in
            if let limit, timeBase.nanoseconds(count) >= limit { return false }
            try picture.draw(count)
            picture.frame.pointer.pointee.pts = count
            picture.frame.pointer.pointee.pict_type = wantsKeyFrame ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE
            wantsKeyFrame = false
            count += 1
            try context.send(picture.frame.pointer)
            return true
        }
        guard var packet else { return nil }
        // libx264 leaves it to the muxer.
        if packet.duration == 0 { packet.duration = 1 }
        return packet
    }
}
