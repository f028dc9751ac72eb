import CLibAV
import LibAVBase
import Media

/// Sound of any kind as interleaved stereo floats of one rate.
struct Resampler: ~Copyable {
    private var context: OpaquePointer?
    private var source: (format: Int32, rate: Int32, channels: Int32) = (-1, 0, 0)
    private let rate: Int32
    private var samples: [Float] = []

    init(rate: Int32) { self.rate = rate }

    deinit {
        var context = context
        swr_free(&context)
    }

    /// Lends the samples of a frame; none if it cannot be converted.
    mutating func convert(_ frame: UnsafeMutablePointer<AVFrame>, _ body: (UnsafeBufferPointer<Float>) -> Void) {
        let now = (frame.pointee.format, frame.pointee.sample_rate, frame.pointee.ch_layout.nb_channels)
        if context == nil || now != source {
            source = now
            swr_free(&context)
            var stereo = AVChannelLayout()
            clibav_layout_stereo(&stereo)
            guard
                swr_alloc_set_opts2(
                    &context, &stereo, AV_SAMPLE_FMT_FLT, rate, &frame.pointee.ch_layout, AVSampleFormat(frame.pointee.format),
                    frame.pointee.sample_rate, 0, nil) >= 0,
                swr_init(context) >= 0
            else { return swr_free(&context) }
        }
        let room = swr_get_out_samples(context, frame.pointee.nb_samples)
        guard room > 0 else { return }
        if samples.count < Int(room) * 2 { samples = Array(repeating: 0, count: Int(room) * 2) }
        let input = UnsafeMutableRawPointer(frame.pointee.extended_data)?.assumingMemoryBound(to: UnsafePointer<UInt8>?.self)
        let count = samples.withUnsafeMutableBytes { bytes in
            var output: UnsafeMutablePointer<UInt8>? = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
            return swr_convert(context, &output, room, input, frame.pointee.nb_samples)
        }
        guard count > 0 else { return }
        samples.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[..<(Int(count) * 2)])) }
    }
}
