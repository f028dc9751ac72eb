import CLibAV
import LibAVBase
import Media

/// Sound of any kind in, pieces of the length and kind that an encoder wants out.
struct SampleShaper: ~Copyable {
    /// Samples of a channel in a piece.
    let chunk: Int32
    private let encoder: UnsafeMutablePointer<AVCodecContext>
    private let fifo: OpaquePointer
    private let converted: Frame
    private var resampler: OpaquePointer?
    private var source: (format: Int32, rate: Int32, channels: Int32) = (-1, 0, 0)

    /// - Parameter encoder: opened; it has to outlive this.
    init(_ encoder: borrowing CodecContext, chunk: Int32) throws(MediaError) {
        let context = encoder.pointer
        let converted = try Frame()
        guard let fifo = av_audio_fifo_alloc(context.pointee.sample_fmt, context.pointee.ch_layout.nb_channels, chunk * 2) else {
            throw .noMemory("sound")
        }
        self.encoder = context
        self.chunk = chunk
        self.converted = converted
        self.fifo = fifo
    }

    deinit {
        var resampler = resampler
        swr_free(&resampler)
        av_audio_fifo_free(fifo)
    }

    /// Samples that wait.
    var count: Int32 { av_audio_fifo_size(fifo) }

    /// Takes in a decoded frame; one that cannot be converted is left out.
    mutating func append(_ frame: UnsafeMutablePointer<AVFrame>) throws(MediaError) {
        frame.assumeChannelLayout()
        let now = (frame.pointee.format, frame.pointee.sample_rate, frame.pointee.ch_layout.nb_channels)
        if resampler == nil || now != source {
            source = now
            swr_free(&resampler)
            guard
                swr_alloc_set_opts2(
                    &resampler, &encoder.pointee.ch_layout, encoder.pointee.sample_fmt, encoder.pointee.sample_rate,
                    &frame.pointee.ch_layout, AVSampleFormat(frame.pointee.format), frame.pointee.sample_rate, 0, nil) >= 0,
                swr_init(resampler) >= 0
            else { return swr_free(&resampler) }
        }
        try convert(frame)
    }

    /// Takes in what the resampler holds back.
    mutating func flush() throws(MediaError) {
        if resampler != nil { try convert(nil) }
    }

    private func convert(_ frame: UnsafeMutablePointer<AVFrame>?) throws(MediaError) {
        let target = converted.pointer
        try prepare(target)
        guard swr_convert_frame(resampler, target, frame) >= 0, target.pointee.nb_samples > 0 else { return }
        try target.withPlanes { planes throws(MediaError) in
            guard av_audio_fifo_write(fifo, planes, target.pointee.nb_samples) == target.pointee.nb_samples else { throw .noMemory("sound") }
        }
    }

    /// Gives out a piece; the last may be shorter.
    func take(into frame: borrowing Frame) throws(MediaError) {
        let target = frame.pointer
        try prepare(target)
        target.pointee.nb_samples = min(chunk, count)
        guard av_frame_get_buffer(target, 0) >= 0 else { throw .noMemory("sound") }
        try target.withPlanes { planes throws(MediaError) in
            guard av_audio_fifo_read(fifo, planes, target.pointee.nb_samples) == target.pointee.nb_samples else { throw .noMemory("sound") }
        }
    }

    private func prepare(_ frame: UnsafeMutablePointer<AVFrame>) throws(MediaError) {
        av_frame_unref(frame)
        frame.pointee.format = encoder.pointee.sample_fmt.rawValue
        frame.pointee.sample_rate = encoder.pointee.sample_rate
        guard av_channel_layout_copy(&frame.pointee.ch_layout, &encoder.pointee.ch_layout) == 0 else { throw .noMemory("sound") }
    }
}

extension UnsafeMutablePointer where Pointee == AVFrame {
    /// The channels' samples, as libavutil's FIFOs take them.
    fileprivate func withPlanes(_ body: (UnsafeMutablePointer<UnsafeMutableRawPointer?>) throws(MediaError) -> Void) throws(MediaError) {
        guard let planes = pointee.extended_data else { return }
        try body(UnsafeMutableRawPointer(planes).assumingMemoryBound(to: UnsafeMutableRawPointer?.self))
    }
}
