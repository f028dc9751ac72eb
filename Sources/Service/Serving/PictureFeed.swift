import Media
import Transcode

/// Pictures as JPEG, for as long as anybody wants them. What was sent since the last key frame is kept, so that the first
/// picture is there as soon as somebody asks.
struct PictureFeed: ~Copyable {
    private let stream: StreamDescription
    private let server: HTTPServer
    private var kept: [(packet: CodedPacket, bytes: [UInt8])] = []
    private var keptSize = 0
    private var transcoder: Transcoder?
    private var latest = Latest()

    /// Octets; a longer distance of key frames makes newcomers wait for the next one.
    private static let limit = 32 << 20

    init(_ stream: StreamDescription, _ server: HTTPServer) {
        self.stream = stream
        self.server = server
    }

    mutating func write(_ packet: CodedPacket, _ bytes: RawSpan) throws(MediaError) {
        guard packet.stream == stream.index else { return }
        keep(packet, bytes)
        guard server.wantsPictures else { return transcoder = nil }
        if stream.codec == "mjpeg" { return bytes.withUnsafeBytes { server.publish(picture: Array($0)) } }
        if transcoder == nil {
            guard !kept.isEmpty else { return }
            transcoder = try Transcoder([stream], settings)
            for (packet, bytes) in kept { try transcoder?.write(packet, bytes.span.bytes, into: &latest) }
        } else {
            try transcoder?.write(packet, bytes, into: &latest)
        }
        if let picture = latest.take() { server.publish(picture: picture) }
    }

    /// A picture asked for while nothing comes is made of what is kept.
    mutating func serveWaiting() throws(MediaError) {
        guard server.wantsPictures, transcoder == nil, let last = kept.popLast() else { return }
        keptSize -= last.bytes.count
        try write(last.packet, last.bytes.span.bytes)
    }

    private mutating func keep(_ packet: CodedPacket, _ bytes: RawSpan) {
        if packet.isKey { (kept, keptSize) = ([], 0) }
        // Nothing that does not begin with a key frame.
        guard packet.isKey || !kept.isEmpty else { return }
        kept.append((packet, bytes.withUnsafeBytes { Array($0) }))
        keptSize += bytes.byteCount
        if keptSize > Self.limit { (kept, keptSize) = ([], 0) }
    }

    /// Two bits for each pixel: a good JPEG.
    private var settings: CodingSettings {
        var settings = CodingSettings()
        let video = stream.video
        let rate = video.map { $0.frameRate.isKnown ? $0.frameRate.value : 25 } ?? 25
        let pixels = Double(video?.width ?? 0) * Double(video?.height ?? 0)
        settings.video = Coding(encoder: "mjpeg", bitRate: Int64(min(pixels * rate * 2, 1e9)))
        return settings
    }

    /// Of the pictures that came, the newest.
    private struct Latest: PacketSink {
        private var picture: [UInt8]?

        mutating func write(_ packet: CodedPacket, _ bytes: RawSpan) { picture = bytes.withUnsafeBytes { Array($0) } }
        func finish() {}

        mutating func take() -> [UInt8]? {
            defer { picture = nil }
            return picture
        }
    }
}
