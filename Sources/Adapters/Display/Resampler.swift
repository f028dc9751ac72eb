import CLibAV
import LibAVBase
import Media

/// Sound of any kind as interleaved stereo floats of one rate, a little faster or slower.
struct Resampler: ~Copyable {
    private var context: OpaquePointer?
    private var source: (format: Int32, rate: Int32, channels: Int32) = (-1, 0, 0)
    private let rate: Int32
    private(set) var samples: [Float] = []

    init(rate: Int32) { self.rate = rate }

    deinit {
        var context = context
        swr_free(&context)
    }

    /// Nanoseconds of sound that it still holds: the next sample that comes out is that much older than the next that goes in.
    var delay: Int64 { context.map { swr_get_delay($0, 1_000_000_000) } ?? 0 }

    /// Puts a frame's sound into `samples`; none if it cannot be converted.
    /// - Parameter speed: 0.001 for 0.1 % faster.
    mutating func convert(_ frame: UnsafeMutablePointer<AVFrame>, speed: Double) {
        samples.removeAll(keepingCapacity: true)
        let now = (frame.pointee.format, frame.pointee.sample_rate, frame.pointee.ch_layout.nb_channels)
        if context == nil || now != source {
            source = now
            open(frame)
        }
        guard let context else { return }
        // A million frames are 20 seconds: set anew with each frame, it never runs out, and counts in millionths.
        swr_set_compensation(context, -Int32((speed * 1e6).rounded()), 1_000_000)
        let room = swr_get_out_samples(context, frame.pointee.nb_samples)
        guard room > 0 else { return }
        let input = UnsafeMutableRawPointer(frame.pointee.extended_data)?.assumingMemoryBound(to: UnsafePointer<UInt8>?.self)
        samples = Array(unsafeUninitializedCapacity: Int(room) * 2) { buffer, count in
            var output: UnsafeMutablePointer<UInt8>? = UnsafeMutableRawPointer(buffer.baseAddress!).assumingMemoryBound(to: UInt8.self)
            count = Int(max(0, swr_convert(context, &output, room, input, frame.pointee.nb_samples))) * 2
        }
    }

    private mutating func open(_ frame: UnsafeMutablePointer<AVFrame>) {
        swr_free(&context)
        frame.assumeChannelLayout()
        var stereo = AVChannelLayout()
        clibav_layout_stereo(&stereo)
        guard
            swr_alloc_set_opts2(
                &context, &stereo, AV_SAMPLE_FMT_FLT, rate, &frame.pointee.ch_layout, AVSampleFormat(frame.pointee.format),
                frame.pointee.sample_rate, 0, nil) >= 0
        else { return }
        // Also from a rate to the same: it is never quite the same.
        av_opt_set_int(UnsafeMutableRawPointer(context), "flags", Int64(SWR_FLAG_RESAMPLE), 0)
        // Many channels in two are not louder than each was.
        av_opt_set_double(UnsafeMutableRawPointer(context), "rematrix_maxval", 1, 0)
        if swr_init(context) < 0 { swr_free(&context) }
    }
}
