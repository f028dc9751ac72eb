import CLibAV
import Glibc
import LibAVBase
import Media

/// Makes and codes the sound: a quiet tone, and an octave higher and louder for the first tenth of each second.
struct ToneEncoder: ~Copyable {
    var coder: Coder
    private let frame: Frame
    private let settings: SignalSettings
    private var count: Int64 = 0
    private var phase: Double = 0

    init(_ settings: SignalSettings) throws(MediaError) {
        self.settings = settings
        let names = settings.audioCodec.map { [$0] } ?? ["aac", "ac3"]
        let coder = try Coder(names, AVMEDIA_TYPE_AUDIO, stream: 1, options: [:]) { context, _ in
            context.pointee.sample_rate = settings.sampleRate
            context.pointee.sample_fmt = Self.format(of: context.pointee.codec)
            context.pointee.bit_rate = 96000
            context.pointee.time_base = AVRational(num: 1, den: settings.sampleRate)
            clibav_layout_stereo(&context.pointee.ch_layout)
        }
        let frame = try Frame()
        let context = coder.context.pointer
        // PCM takes any number at a time: a fiftieth of a second.
        frame.pointer.pointee.nb_samples = context.pointee.frame_size > 0 ? context.pointee.frame_size : settings.sampleRate / 50
        frame.pointer.pointee.format = context.pointee.sample_fmt.rawValue
        frame.pointer.pointee.sample_rate = settings.sampleRate
        guard av_channel_layout_copy(&frame.pointer.pointee.ch_layout, &context.pointee.ch_layout) >= 0,
            av_frame_get_buffer(frame.pointer, 0) >= 0
        else { throw .noMemory("sound") }
        self.frame = frame
        self.coder = coder
    }

    /// The encoder's own choice among those that `fill` makes; the first of ours, for the encoder to refuse, if there is none.
    private static func format(of codec: UnsafePointer<AVCodec>?) -> AVSampleFormat {
        var format = codec?.pointee.sample_fmts
        while let candidate = format?.pointee, candidate != AV_SAMPLE_FMT_NONE {
            if [AV_SAMPLE_FMT_FLTP, AV_SAMPLE_FMT_FLT, AV_SAMPLE_FMT_S16, AV_SAMPLE_FMT_S16P].contains(candidate) { return candidate }
            format = format?.successor()
        }
        return AV_SAMPLE_FMT_FLTP
    }

    func description(index: Int) throws(MediaError) -> StreamDescription { try coder.description(index: index) }

    mutating func peek() throws(MediaError) -> CodedPacket? {
        var (count, phase) = (count, phase)
        defer { (self.count, self.phase) = (count, phase) }
        let settings = settings
        let timeBase = TimeBase(1, settings.sampleRate)!
        let pointer = frame.pointer
        return try coder.peek { context throws(MediaError) in
            if let limit = settings.duration, timeBase.nanoseconds(count) >= limit { return false }
            guard av_frame_make_writable(pointer) >= 0 else { throw .noMemory("sound") }
            Self.fill(pointer, settings, count, &phase)
            pointer.pointee.pts = count
            count += Int64(pointer.pointee.nb_samples)
            try context.send(pointer)
            return true
        }
    }

    private static func fill(_ frame: UnsafeMutablePointer<AVFrame>, _ settings: SignalSettings, _ start: Int64, _ phase: inout Double) {
        let rate = Int64(settings.sampleRate)
        let format = AVSampleFormat(frame.pointee.format)
        let isPlanar = format == AV_SAMPLE_FMT_FLTP || format == AV_SAMPLE_FMT_S16P
        let isFloat = format == AV_SAMPLE_FMT_FLTP || format == AV_SAMPLE_FMT_FLT
        for position in 0..<Int(frame.pointee.nb_samples) {
            let isBeep = (start + Int64(position)) % rate < rate / 10
            phase += (isBeep ? 2 : 1) * settings.frequency / Double(rate)
            phase -= phase.rounded(.down)
            let sample = Float(sin(phase * 2 * .pi)) * (isBeep ? 0.25 : settings.flashes ? 0 : 0.1)
            for channel in 0..<2 {
                let plane = UnsafeMutableRawPointer(frame.pointee.extended_data[isPlanar ? channel : 0]!)
                let index = isPlanar ? position : position * 2 + channel
                if isFloat {
                    plane.storeBytes(of: sample, toByteOffset: index * 4, as: Float.self)
                } else {
                    plane.storeBytes(of: Int16(sample * 32767), toByteOffset: index * 2, as: Int16.self)
                }
            }
        }
    }
}
