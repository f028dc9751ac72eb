import Glibc
import LibAV
import Media

/// What carries a publication to its address: one muxer, or one for each stream where RTP is described by a file.
struct Carrier: ~Copyable, PacketSink {
    private let muxers: [Slot]
    /// The publication's index → which of them.
    private let places: [Int: Int]
    private let streams: [StreamDescription]
    /// Of the streams given, those that go there.
    let sent: [StreamDescription]
    private var hasBegun = false

    /// A place for a muxer, which cannot be copied into an array.
    private final class Slot {
        var muxer: Muxer
        init(_ muxer: consuming Muxer) { self.muxer = muxer }
    }

    init(_ target: StreamTarget, _ streams: [StreamDescription], continuing: Bool, stop: StopFlag) throws(MediaError) {
        let carried = target.sessionFile == nil ? [] : streams.filter { !$0.isSubtitle }
        let muxers: [Slot]
        if let file = target.sessionFile {
            let base = try RTPAddress(target.address)
            muxers = try carried.enumerated().map { position, stream throws(MediaError) in
                // Even ports carry the packets, and the odd ones after them the reports (RFC 3550, section 11).
                let url = base.address(portOffset: position * 2)
                return Slot(try Muxer(url: url, format: "rtp", streams: [stream], options: target.options, stop: stop))
            }
            try Self.write(muxers.map { $0.muxer.sessionDescription() }, to: file)
        } else {
            let muxer = try Muxer(
                url: target.address, format: target.format, streams: streams, options: target.allOptions, overwrite: true,
                continuing: continuing, stop: stop)
            muxers = [Slot(muxer)]
        }
        self.muxers = muxers
        sent = muxers.flatMap { $0.muxer.streams }
        self.streams = streams
        places = Dictionary(uniqueKeysWithValues: carried.enumerated().map { ($1.index, $0) })
    }

    static func keepsHeadersAside(_ target: StreamTarget, _ streams: [StreamDescription]) -> Bool {
        target.sessionFile != nil || Muxer.keepsHeadersAside(url: target.address, format: target.format, streams: streams)
    }

    var packetCount: UInt64 { muxers.reduce(0) { $0 &+ $1.muxer.packetCount } }

    mutating func write(_ packet: CodedPacket, _ bytes: RawSpan) throws(MediaError) {
        if places.isEmpty { return try muxers[0].muxer.write(packet, bytes) }
        if !hasBegun, let time = packet.decodingTime {
            hasBegun = true
            // One beginning for all, so that they stay together.
            let start = streams[packet.stream].timeBase.nanoseconds(time)
            for slot in muxers { slot.muxer.begin(at: start) }
        }
        guard let place = places[packet.stream] else { return }
        try muxers[place].muxer.write(packet, bytes)
    }

    mutating func finish() throws(MediaError) {
        for slot in muxers { try slot.muxer.finish() }
    }

    /// One description of them all (RFC 8866): the first's, and the media of the others.
    private static func write(_ descriptions: [String], to file: String) throws(MediaError) {
        let others = descriptions.dropFirst().map { text in text.firstRange(of: "m=").map { String(text[$0.lowerBound...]) } ?? "" }
        // Whole or not at all: who waits for the file reads it as soon as it is there.
        let draft = "\(file).\(getpid())"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard descriptor >= 0 else {
            throw MediaError(.cannotOpen, object: file, what: "cannot be written", cause: String(cString: strerror(errno)))
        }
        writeAll(descriptor, ([descriptions.first ?? ""] + others).joined())
        close(descriptor)
        guard rename(draft, file) == 0 else {
            throw MediaError(.cannotOpen, object: file, what: "cannot be written", cause: String(cString: strerror(errno)))
        }
    }
}

/// `rtp://239.1.2.3:5004?ttl=4` with another port.
private struct RTPAddress {
    private let front: Substring
    private let port: Int
    private let rest: Substring

    init(_ address: String) throws(MediaError) {
        let authority = address.dropFirst("rtp://".count).prefix { $0 != "?" && $0 != "/" }
        guard address.hasPrefix("rtp://"), let colon = authority.lastIndex(of: ":"), let port = Int(authority[colon...].dropFirst()),
            (1...65_000).contains(port)
        else {
            throw MediaError(
                .unsupportedFormat, object: address, what: "a session description takes an address like rtp://239.1.2.3:5004")
        }
        front = address[...colon]
        self.port = port
        rest = address[authority.endIndex...]
    }

    func address(portOffset: Int) -> String { "\(front)\(port + portOffset)\(rest)" }
}

extension StreamTarget {
    /// With those that low latency takes; what was asked for by name stands.
    fileprivate var allOptions: [(key: String, value: String)] {
        guard isLowLatency else { return options }
        let name = format ?? (address.hasSuffix(".m3u8") ? "hls" : address.hasSuffix(".mpd") ? "dash" : "")
        let own: [(key: String, value: String)] =
            switch name {
            case "hls": [("hls_segment_type", "fmp4"), ("hls_time", "1")]
            case "dash": [("ldash", "1"), ("streaming", "1"), ("seg_duration", "1"), ("frag_type", "every_frame"), ("use_timeline", "0")]
            default: []
            }
        return own.filter { option in !options.contains { $0.key == option.key } } + options
    }
}
