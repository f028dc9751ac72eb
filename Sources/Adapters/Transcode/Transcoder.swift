public import Media

/// One stream coded anew.
protocol TrackTranscoder: AnyObject {
    /// Of what comes out, at the source's index.
    var description: StreamDescription { get }
    func write<Sink: PacketSink & ~Copyable>(_ packet: CodedPacket, _ bytes: RawSpan, into sink: inout Sink) throws(MediaError)
    func finish<Sink: PacketSink & ~Copyable>(into sink: inout Sink) throws(MediaError)
    /// The next picture becomes a key frame.
    func requestKeyFrame()
    /// Pictures that came in and could not be coded, since the last call; of sound, packets.
    func takeLost() -> UInt32
    /// What came in damaged, since the last call.
    func takeDamage() -> UInt64
}

/// A publication's streams, some of them coded anew, in front of whatever takes packets.
///
/// Works on the caller's thread, and is begun at a key frame. Not for two threads at once.
public struct Transcoder: ~Copyable {
    /// What comes out.
    public let streams: [StreamDescription]
    private let tracks: [Int: any TrackTranscoder]

    /// - Throws: `.unsupportedCodec` for an encoder or a decoder that this libavcodec lacks, `.encodeFailed`.
    public init(_ streams: [StreamDescription], _ settings: CodingSettings) throws(MediaError) {
        var tracks: [Int: any TrackTranscoder] = [:]
        for stream in streams {
            switch stream.kind {
            case .video(let video):
                guard let coding = settings.video else { continue }
                tracks[stream.index] = try PictureTranscoder(stream, video, coding, settings)
            case .audio(let audio):
                guard let coding = settings.audio else { continue }
                tracks[stream.index] = try SoundTranscoder(stream, audio, coding, settings)
            case .subtitle: continue
            }
        }
        self.tracks = tracks
        self.streams = streams.map { tracks[$0.index]?.description ?? $0 }
    }

    /// Hands on what comes of a packet: itself, others, or nothing yet.
    /// - Throws: what the sink does, `.encodeFailed`, `.outOfMemory`.
    public func write<Sink: PacketSink & ~Copyable>(_ packet: CodedPacket, _ bytes: RawSpan, into sink: inout Sink) throws(MediaError) {
        guard let track = tracks[packet.stream] else { return try sink.write(packet, bytes) }
        try track.write(packet, bytes, into: &sink)
    }

    /// Whether that stream is coded anew.
    func codes(_ stream: Int) -> Bool { tracks[stream] != nil }

    /// The next picture of each stream that is coded becomes a key frame.
    func requestKeyFrame() {
        for (_, track) in tracks { track.requestKeyFrame() }
    }

    /// What of a stream came in and could not be coded, since the last call.
    func takeLost(of stream: Int) -> UInt32 { tracks[stream]?.takeLost() ?? 0 }

    /// Packets that made no sense to a decoder, and pictures of which it says that they are broken, since the last call.
    public func takeDamage() -> UInt64 { tracks.values.reduce(0) { $0 &+ $1.takeDamage() } }

    /// Hands on what the coders hold back. The sink is not finished by this.
    public func finish<Sink: PacketSink & ~Copyable>(into sink: inout Sink) throws(MediaError) {
        for (_, track) in tracks.sorted(by: { $0.key < $1.key }) { try track.finish(into: &sink) }
    }
}
