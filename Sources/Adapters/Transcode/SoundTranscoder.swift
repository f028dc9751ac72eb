import CLibAV
import LibAVBase
import Media

/// Sound decoded, resampled, and coded anew.
final class SoundTranscoder: TrackTranscoder {
    let description: StreamDescription
    private let decoder: Decoder
    private let encoder: Encoder
    private var shaper: SampleShaper
    private let chunk: Frame
    private let rate: Int32
    private let index: Int
    /// Of the next sample that is coded, in samples.
    private var next: Int64?
    private var lost: UInt32 = 0
    private var damage: UInt64 = 0

    init(_ source: StreamDescription, _ audio: StreamDescription.Audio, _ coding: Coding, _ settings: CodingSettings) throws(MediaError) {
        let codec = try EncoderChoice.find(coding.encoder, AVMEDIA_TYPE_AUDIO)
        let rate = Self.rate(of: codec, like: audio.sampleRate)
        let format = Self.format(of: codec)
        let decoder = try Decoder(source)
        let channels: Int32 = min(2, max(1, audio.channels))
        let encoder = try Encoder(codec, headersAside: settings.keepsHeadersAside, options: EncoderChoice.options(for: codec)) { context in
            context.pointee.sample_rate = rate
            context.pointee.sample_fmt = format
            // More than two channels become two: what every receiver of a stream can play.
            av_channel_layout_default(&context.pointee.ch_layout, channels)
            context.pointee.time_base = AVRational(num: 1, den: rate)
            context.pointee.bit_rate = coding.bitRate ?? Int64(channels) * 64_000
        }
        let size = encoder.context.pointer.pointee.frame_size
        // A codec of plain samples takes any number of them.
        shaper = try SampleShaper(encoder.context, chunk: size > 0 ? size : 1024)
        description = try encoder.description(of: source)
        chunk = try Frame()
        self.decoder = decoder
        self.encoder = encoder
        self.rate = rate
        index = source.index
    }

    func write<Sink: PacketSink & ~Copyable>(_ packet: CodedPacket, _ bytes: RawSpan, into sink: inout Sink) throws(MediaError) {
        guard try decoder.send(packet, bytes) else {
            damage += 1
            return lost += 1
        }
        try takeSound(into: &sink)
    }

    func finish<Sink: PacketSink & ~Copyable>(into sink: inout Sink) throws(MediaError) {
        decoder.drain()
        try takeSound(into: &sink)
        try shaper.flush()
        try encodeChunks(atLeast: 1, into: &sink)
        try encoder.encode(nil, stream: index, into: &sink)
    }

    /// Sound can be begun with anywhere.
    func requestKeyFrame() {}

    func takeDamage() -> UInt64 {
        defer { damage = 0 }
        return damage
    }

    func takeLost() -> UInt32 {
        defer { lost = 0 }
        return lost
    }

    private func takeSound<Sink: PacketSink & ~Copyable>(into sink: inout Sink) throws(MediaError) {
        while decoder.receive() {
            if let time = decoder.time { place(at: av_rescale_q(time, AVRational(num: 1, den: 1_000_000_000), encoder.timeBase)) }
            try shaper.append(decoder.frame.pointer)
            try encodeChunks(atLeast: shaper.chunk, into: &sink)
        }
    }

    /// Sound is a row of samples without gaps, until it is more than a tenth of a second off: something was lost.
    private func place(at time: Int64) {
        let waiting = Int64(shaper.count)
        if let next, abs(next + waiting - time) <= Int64(rate) / 10 { return }
        next = time - waiting
    }

    private func encodeChunks<Sink: PacketSink & ~Copyable>(atLeast least: Int32, into sink: inout Sink) throws(MediaError) {
        while shaper.count >= least {
            try shaper.take(into: chunk)
            let start = next ?? 0
            chunk.pointer.pointee.pts = start
            next = start + Int64(chunk.pointer.pointee.nb_samples)
            try encoder.encode(chunk.pointer, stream: index, into: &sink)
        }
    }

    private static func format(of codec: UnsafePointer<AVCodec>) -> AVSampleFormat {
        codec.pointee.sample_fmts?.pointee ?? AV_SAMPLE_FMT_FLTP
    }

    /// The same if the encoder knows it, else the next higher one, else its highest.
    private static func rate(of codec: UnsafePointer<AVCodec>, like rate: Int32) -> Int32 {
        guard var next = codec.pointee.supported_samplerates else { return rate }
        var rates: [Int32] = []
        while next.pointee != 0 {
            rates.append(next.pointee)
            next += 1
        }
        return rates.filter { $0 >= rate }.min() ?? rates.max() ?? rate
    }
}
