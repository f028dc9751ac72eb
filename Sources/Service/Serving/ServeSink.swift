import LibAV
package import Media
import Transcode

/// Gives a publication to HTTP clients: as a transport stream, its sound as it is, its pictures as JPEG.
package struct ServeSink: ~Copyable, ConsumerSink {
    private let server: HTTPServer
    private var stream: Channel?
    private var audio: Channel?
    private var audioIndex: Int?
    private var pictures: PictureFeed?
    private var streams: [StreamDescription] = []
    /// Publications before this one.
    private var version = -1

    /// Listens from now on; clients are answered as soon as there is a publication.
    /// - Throws: `.cannotOpen`, `.permissionDenied`.
    package init(_ address: ListenAddress) throws(MediaError) {
        let server = try HTTPServer(address)
        try server.start()
        self.server = server
        say("serving at http://\(server.address)/")
    }

    package mutating func begin(_ streams: [StreamDescription]) throws(MediaError) {
        self.streams = streams
        version += 1
        do throws(MediaError) {
            let options = TransportStream.options(version: version, flags: "+pat_pmt_at_frames")
            stream = try Channel(.stream, "mpegts", "video/mp2t", streams, options, server)
        } catch {
            // The others may still be of use.
            say("\(error)")
            stream = nil
            server.offer(.stream, nil)
        }
        audio = nil
        let sound = streams.first { $0.isAudio }
        audioIndex = sound?.index
        if let sound, let (format, type) = Self.container(of: sound.codec) {
            audio = try Channel(.audio, format, type, [sound], [], server)
        } else {
            server.offer(.audio, nil)
        }
        pictures = streams.first { $0.isVideo }.map { PictureFeed($0, server) }
        server.offer(.pictures, pictures == nil ? nil : HTTPServer.Offer(type: "multipart/x-mixed-replace; boundary=frame", codecs: ["jpeg"]))
    }

    package mutating func write(_ packet: CodedPacket, _ bytes: RawSpan) throws(MediaError) {
        let isVideo = streams[packet.stream].isVideo
        // Without pictures every packet is one to begin at.
        try stream?.write(packet, bytes, isStart: isVideo ? packet.isKey : pictures == nil)
        if packet.stream == audioIndex { try audio?.write(packet, bytes, isStart: true) }
        try pictures?.write(packet, bytes)
    }

    /// Who asks for a picture while nothing comes gets the last one.
    package mutating func tick() throws(MediaError) -> SinkTick {
        try pictures?.serveWaiting()
        return SinkTick(next: monotonicNanoseconds() + 200_000_000)
    }

    package mutating func finish() throws(MediaError) {
        try stream?.finish()
        try audio?.finish()
        server.end()
    }

    /// As browsers and players know it.
    private static func container(of codec: String) -> (format: String, type: String)? {
        switch codec {
        case "mp3": ("mp3", "audio/mpeg")
        case "aac": ("adts", "audio/aac")
        case "opus", "vorbis", "flac", "speex": ("ogg", "audio/ogg")
        default: nil
        }
    }
}

/// A muxer whose bytes go to the server.
private struct Channel: ~Copyable {
    private let channel: HTTPChannel
    private let server: HTTPServer
    private let gathered: Gathered
    private var muxer: Muxer

    init(
        _ channel: HTTPChannel, _ format: String, _ type: String, _ streams: [StreamDescription], _ options: [(key: String, value: String)],
        _ server: HTTPServer
    ) throws(MediaError) {
        let gathered = Gathered()
        muxer = try Muxer(into: gathered, name: channel.path, format: format, streams: streams, options: options)
        self.gathered = gathered
        self.channel = channel
        self.server = server
        server.offer(channel, HTTPServer.Offer(type: type, codecs: streams.map(\.codec), header: gathered.take()))
    }

    mutating func write(_ packet: CodedPacket, _ bytes: RawSpan, isStart: Bool) throws(MediaError) {
        try muxer.write(packet, bytes)
        let made = gathered.take()
        if !made.isEmpty { server.publish(made, on: channel, isStart: isStart) }
    }

    mutating func finish() throws(MediaError) {
        try muxer.finish()
        server.publish(gathered.take(), on: channel, isStart: false)
    }
}

private final class Gathered: ByteOutput {
    private var bytes: [UInt8] = []

    func write(_ span: RawSpan) -> CInt {
        span.withUnsafeBytes { bytes += $0 }
        return 0
    }

    func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }
}
