import CLibAV
import LibAVBase
public import Media

/// Writes coded packets into a file or onto a network, as they are, without decoding them.
///
/// Formats by address: a file by its extension (`.mkv`, `.mp4`, `.ts`, `.webm`, `.nut`, `.m3u8`, …); `rtmp:` flv;
/// `srt:`, `udp:`, `tcp:` MPEG-TS; `rtp:` plain RTP for one stream, MPEG-TS in RTP for more; `icecast:` Ogg, MP3 or
/// ADTS by the codec of the first sound stream, other streams being left out.
///
/// With a `fragment` it records: what it was given is in the file that much later at most, and can be read from there if this
/// process is killed. An `.mp4` is a fragmented one until `finish`, which makes it ordinary in place (`OrdinaryMP4`). Without
/// one, an `.mp4` can be read only after `finish`.
///
/// Not for two threads at once.
public struct Muxer: ~Copyable, PacketSink {
    public let url: String
    /// libavformat's name.
    public let format: String
    /// Of the streams given, those that are written.
    public let streams: [StreamDescription]
    /// Packets written so far, and their octets.
    public private(set) var packetCount: UInt64 = 0
    public private(set) var byteCount: UInt64 = 0

    private var output: OutputContext
    /// The file is ours until this muxer goes; nil for what is none.
    private let claim: FileClaim?
    private let packet: Packet
    private let interruption: Interruption
    private let ioTimeout: Int64
    private var timeline: MuxTimeline
    /// Our index → libavformat's.
    private let positions: [Int: Int]
    /// Nanoseconds after a stop in which the end is still sent.
    private static let grace: Int64 = 2_000_000_000
    private enum State { case writing, failed, finished }
    private var state: State = .writing
    private var pace: FragmentPace?
    /// The file that has to be made ordinary at the end.
    private let fragmented: String?
    /// The file that lists what is written, where that is a list.
    private let playlist: String?

    /// Checks that the container holds the codecs, then opens, and writes the header. If any of it fails,
    /// no new file is left behind, and no old one has been touched.
    /// - Parameters:
    ///   - url: a path or an address. The folder of an `.m3u8` is made.
    ///   - format: libavformat's name, where the address does not tell.
    ///   - options: of the muxer and the protocol; they replace ours.
    ///   - overwrite: whether a file that is there may be replaced.
    ///   - continuing: whether a playlist that is there goes on, with a discontinuity.
    ///   - ioTimeout: nanoseconds that opening, and any one write, may wait for a network.
    ///   - fragment: nanoseconds; see above. For files.
    ///   - stop: raise it to end this call with `.cancelled`. Later ones still write to a file, and to a network for two
    ///     seconds more, so that what was begun is ended well.
    /// - Throws: `.unsupportedCodec`, `.unsupportedFormat`, `.invalidOption`, `.alreadyExists`, `.refused`,
    ///   `.timedOut`, `.permissionDenied`, `.diskFull`, `.cannotOpen`, …
    public init(
        url: String, format: String? = nil, streams: [StreamDescription], options: [(key: String, value: String)] = [],
        overwrite: Bool = false, continuing: Bool = false, ioTimeout: Int64 = 10_000_000_000, fragment: Int64? = nil,
        stop: StopFlag = StopFlag()
    ) throws(MediaError) {
        var destination = try Destination(url: url, format: format, streams: streams, options: options, continuing: continuing)
        let isFragmented = fragment != nil && destination.path != nil && destination.makeFragmented()
        let interruption = Interruption(stop)
        try Self.rehearse(destination, interruption)
        let claim = try Self.claim(destination, overwrite: overwrite)
        interruption.setDeadline(in: ioTimeout)
        let isNew =
            switch claim {
            case .some(let claim): claim.isNew
            case .none: false
            }
        let output = try Self.open(destination, isNew: isNew, interruption)
        interruption.clearDeadline()
        // Who asks a recorder to stop wants its file whole. A file cannot hang; a server may, but not for long.
        interruption.setGrace(destination.path != nil ? .max : Self.grace)
        self.init(
            output, try Packet(), destination, interruption, claim, ioTimeout: ioTimeout, pace: fragment.map { FragmentPace(length: $0) },
            fragmented: isFragmented ? destination.path : nil)
    }

    /// Writes into something of ours: packets go out one by one as they come, none waits for another stream's.
    /// - Parameters:
    ///   - output: takes the bytes.
    ///   - name: of the output, for errors.
    ///   - format: libavformat's name.
    /// - Throws: `.unsupportedCodec`, `.unsupportedFormat`, `.invalidOption`, `.writeFailed`.
    public init(
        into output: any ByteOutput, name: String, format: String, streams: [StreamDescription],
        options: [(key: String, value: String)] = []
    ) throws(MediaError) {
        let destination = try Destination(name: name, format: format, streams: streams, options: options)
        let interruption = Interruption(StopFlag())
        var context = try OutputContext(destination, interruption: interruption)
        for stream in destination.streams { try context.add(stream, destination) }
        context.pointer.pointee.flush_packets = 1
        try context.open(into: output)
        var options = OptionDictionary(destination.options)
        try context.writeHeader(destination, &options)
        self.init(context, try Packet(), destination, interruption, nil, ioTimeout: .max / 2)
    }

    private init(
        _ output: consuming OutputContext, _ packet: consuming Packet, _ destination: Destination, _ interruption: Interruption,
        _ claim: consuming FileClaim?, ioTimeout: Int64, pace: FragmentPace? = nil, fragmented: String? = nil
    ) {
        self.packet = packet
        self.claim = claim
        self.output = output
        url = destination.url
        self.format = destination.format
        self.streams = destination.streams
        self.interruption = interruption
        self.ioTimeout = ioTimeout
        timeline = MuxTimeline(destination.streams)
        self.pace = pace
        self.fragmented = fragmented
        playlist = destination.isPlaylist ? destination.path : nil
        positions = Dictionary(uniqueKeysWithValues: destination.streams.enumerated().map { ($1.index, $0) })
    }

    /// Lays the beginning of its time stamps on that of others, with which it belongs together.
    /// - Parameter nanoseconds: of the publication's media time. Before the first packet.
    public mutating func begin(at nanoseconds: Int64) { timeline.begin(at: nanoseconds) }

    /// What is written next begins another publication, of the same streams: its time stamps go on where those before ended.
    public mutating func goOn() { timeline.goOn() }

    /// Packets of streams that are not written are ignored, and so are those without any time.
    /// - Throws: `.diskFull`, `.writeFailed`, `.timedOut`, `.cancelled`; later calls throw as well.
    public mutating func write(_ packet: CodedPacket, _ bytes: RawSpan) throws(MediaError) {
        guard state == .writing else { throw MediaError(.writeFailed, object: url, what: "no longer written to") }
        guard let position = positions[packet.stream], let placed = timeline.place(packet),
            let target = output.time(of: position)
        else { return }
        try self.packet.copy(placed, bytes)
        let size = bytes.byteCount
        let time = streams[position].timeBase.nanoseconds(placed.decodingTime ?? 0)
        if pace?.isDue(at: time) ?? false { try flush() }
        pace?.begin(at: time)
        self.packet.pointer.pointee.stream_index = Int32(position)
        av_packet_rescale_ts(self.packet.pointer, streams[position].timeBase.rational, target.rational)
        let mark = LogTail.mark()
        interruption.setDeadline(in: ioTimeout)
        try check(output.write(self.packet), since: mark)
        packetCount += 1
        byteCount += UInt64(size)
    }

    /// Writes what is held back, where a fragment's time is over by the clock: for sources that have fallen silent.
    /// - Returns: when to ask again, in nanoseconds on CLOCK_MONOTONIC; nil where nothing is held back.
    /// - Throws: as `write`.
    public mutating func flushIfDue(_ now: Int64) throws(MediaError) -> Int64? {
        guard state == .writing, let due = pace?.due else { return nil }
        guard now >= due else { return due }
        try flush()
        return nil
    }

    private mutating func flush() throws(MediaError) {
        let mark = LogTail.mark()
        interruption.setDeadline(in: ioTimeout)
        try check(output.flush(), since: mark)
        pace?.end()
    }

    private mutating func check(_ status: Int32, since mark: UInt64) throws(MediaError) {
        guard status >= 0 else {
            state = .failed
            throw failure(status, since: mark)
        }
        interruption.clearDeadline()
    }

    /// Writes what is held back and the trailer, and closes. Once; later calls do nothing. A muxer that goes
    /// without it tries the same, and cannot tell whether it worked.
    /// - Throws: as `write`: a file whose last octets did not reach the disk is not whole.
    public mutating func finish() throws(MediaError) {
        if state == .failed, let fragmented {
            // Its last octets are missing; the others can be put in order all the same, or stay as they are.
            state = .finished
            _ = output.close()
            _ = try? OrdinaryMP4.convert(fragmented)
        }
        guard state == .writing else { return }
        state = .finished
        let mark = LogTail.mark()
        interruption.setDeadline(in: ioTimeout)
        let trailer = output.writeTrailer()
        let close = output.close()
        guard trailer >= 0, close >= 0 else { throw failure(trailer < 0 ? trailer : close, since: mark) }
        // The muxers of playlists do not tell of one that they could not write.
        if let playlist, packetCount > 0, !playlist.contains("%"), LocalFile.isMissingOrEmpty(playlist) {
            throw MediaError(.diskFull, object: url, what: "the playlist could not be written", remedy: "free space on that disk")
        }
        interruption.clearDeadline()
        if let fragmented, packetCount > 0 { _ = try OrdinaryMP4.convert(fragmented) }
    }

    /// What a receiver of plain RTP needs to know (SDP, RFC 8866).
    public func sessionDescription() -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16384) { buffer in
            var context: UnsafeMutablePointer<AVFormatContext>? = output.pointer
            return av_sdp_create(&context, 1, buffer.baseAddress, Int32(buffer.count)) == 0 ? String(cString: buffer.baseAddress!) : ""
        }
    }

    private func failure(_ status: Int32, since mark: UInt64) -> MediaError {
        LibAVFailure.error(
            status, .writeFailed, object: url, what: "cannot be written", isInput: false, since: mark, interruption: interruption)
    }
}

extension Muxer {
    /// Whether an address leads to somebody who may go away and come back; a file does not.
    public static func isRemote(_ url: String) -> Bool {
        guard let scheme = LocalFile.scheme(of: url) else { return false }
        return scheme != "file" && Destination.isProtocol(scheme)
    }

    /// Whether a codec's headers travel beside its packets there (Matroska, MP4, FLV), or in them (transport streams).
    public static func keepsHeadersAside(url: String, format: String?, streams: [StreamDescription]) -> Bool {
        let destination = try? Destination(url: url, format: format, streams: streams, options: [], continuing: false)
        guard let name = destination?.format, let format = av_guess_format(name, nil, nil) else { return true }
        // RTP tells of them in its session description.
        return format.pointee.flags & AVFMT_GLOBALHEADER != 0 || name == "rtp"
    }

    /// Writes the header into memory: what is wrong with codecs and options shows before a file is made.
    private static func rehearse(_ destination: Destination, _ interruption: Interruption) throws(MediaError) {
        var output = try OutputContext(destination, interruption: interruption)
        for stream in destination.streams { try output.add(stream, destination) }
        // Networks have no file to leave behind, and their formats want to know the packet size of the protocol.
        guard destination.path != nil, !output.opensItself else { return }
        try output.openMemory()
        var options = OptionDictionary(destination.options)
        try output.writeHeader(destination, &options)
        try RawPictureTrial.run(destination, interruption)
    }

    /// Before anything of a file is thrown away. What its muxer opens itself is a list in a folder that is made for it, or any files.
    private static func claim(_ destination: Destination, overwrite: Bool) throws(MediaError) -> FileClaim? {
        guard let path = destination.path else { return nil }
        if destination.isPlaylist {
            try LocalFile.makeFolder(of: path)
            try LocalFile.requireWritable(path)
            return nil
        }
        guard destination.opensItself else { return try FileClaim.of(path, overwrite: overwrite, object: destination.url) }
        guard overwrite || !LocalFile.isRegularFile(path) else { throw FileClaim.exists(destination.url) }
        return nil
    }

    private static func open(_ destination: Destination, isNew: Bool, _ interruption: Interruption) throws(MediaError) -> OutputContext {
        do {
            return try openAnyway(destination, interruption)
        } catch {
            if isNew, let path = destination.path { LocalFile.remove(path) }
            throw error
        }
    }

    private static func openAnyway(_ destination: Destination, _ interruption: Interruption) throws(MediaError) -> OutputContext {
        var output = try OutputContext(destination, interruption: interruption)
        for stream in destination.streams { try output.add(stream, destination) }
        // Nothing waits in a buffer: live, or for the disk, should this process be killed.
        output.pointer.pointee.flush_packets = 1
        if destination.path == nil {
            // A stream that has gone silent holds nobody up for long.
            output.pointer.pointee.max_interleave_delta = 1_000_000
        }
        var options = OptionDictionary(destination.options)
        try output.open(destination, &options)
        try output.writeHeader(destination, &options)
        return output
    }
}
