import CLibAV
import LibAVBase
public import Media

/// Packets of a file, or of anything else that libavformat opens.
///
/// Not for two threads at once.
public struct Demuxer: ~Copyable, PacketSource {
    public let url: String
    public private(set) var streams: [StreamDescription]
    public private(set) var generation = 0
    /// What was found out since this was emptied last, in words: `stream 2: data is not carried`.
    public var remarks: [String]

    private let input: InputContext
    private let packet: Packet
    private let interruption: Interruption
    private let readTimeout: Int64
    private let loops: Bool
    /// Something came since the beginning, or since it was gone back to.
    private var hasDelivered = false
    /// libavformat's index → ours.
    private let indices: [Int?]
    private var soundHeaders: SoundHeaders
    private var loop: LoopOffset
    private var missingTimes: MissingTimes
    private var reorderedTimes: ReorderedTimes?
    private var jumps: TimeJumps
    private var told: Set<String> = []

    /// Opens it. Blocks until the streams are known.
    /// - Parameters:
    ///   - url: a path, an address as libavformat understands it, or `-` for standard input.
    ///   - format: libavformat's name of the format where it cannot be told from the contents.
    ///   - options: libavformat's, such as `rtsp_transport`.
    ///   - loops: begins again at the end, for ever; time stamps go on rising.
    ///   - start: where to begin, in nanoseconds from the beginning: at the key frame before.
    ///   - first: where the time stamps begin, in nanoseconds; nil for where they do in the file.
    ///   - openTimeout: nanoseconds.
    ///   - readTimeout: nanoseconds that `next` may wait for a network.
    ///   - stop: raise it to end this and every later call with `.cancelled`.
    /// - Throws: `.notFound`, `.refused`, `.timedOut`, `.noStreams`, `.unsupportedFormat`, `.cannotOpen`, …
    public init(
        url: String, format: String? = nil, options: [(key: String, value: String)] = [], loops: Bool = false,
        from start: Int64 = 0, startingAt first: Int64? = nil,
        openTimeout: Int64 = 15_000_000_000, readTimeout: Int64 = 30_000_000_000, stop: StopFlag = StopFlag()
    ) throws(MediaError) {
        let interruption = Interruption(stop)
        // Whoever writes to standard input takes the time that it takes.
        let isPatient = url == "-"
        interruption.setDeadline(in: isPatient ? Self.forever : openTimeout)
        let input = try InputContext(url: LocalFile.address(of: url), format: format, options: options, interruption: interruption)
        try input.readStreams(url)
        var headers = try SoundHeaders(input)
        if start > 0 {
            try input.seek(to: start, url)
            headers.ahead = PacketQueue()
        }
        interruption.clearDeadline()

        let hasJumps = input.hasJumps
        let offset = first.map { $0 &- input.startTime } ?? 0
        var streams: [StreamDescription] = []
        var skipped: [String] = []
        var reasons: [String] = []
        var indices: [Int?] = []
        for stream in input.streams {
            guard let stream else { continue }
            if var description = StreamDescription(stream, index: streams.count), description.isComplete {
                description.startTime = description.startTime.map { $0 &+ description.timeBase.ticks(offset, from: .nanosecond) }
                if let header = headers.header(of: Int(stream.pointee.index)) { description.takeHeader(header) }
                indices.append(streams.count)
                streams.append(description)
            } else {
                let kind = Self.kind(of: stream)
                skipped.append("stream \(stream.pointee.index): \(kind)")
                reasons.append("stream \(stream.pointee.index): \(kind) is not carried")
                indices.append(nil)
                stream.pointee.discard = AVDISCARD_ALL
            }
        }
        guard !streams.isEmpty else {
            throw MediaError(.noStreams, object: url, what: "no sound, picture or subtitles in it", cause: skipped.joined(separator: ", "))
        }
        self.packet = try Packet()
        self.url = url
        self.input = input
        self.streams = streams
        remarks = reasons
        self.indices = indices
        self.interruption = interruption
        self.readTimeout = isPatient ? Self.forever : readTimeout
        self.loops = loops
        loop = LoopOffset(streams, offset: offset)
        missingTimes = MissingTimes(streams)
        reorderedTimes = ReorderedTimes(streams)
        jumps = TimeJumps(streams, isEnabled: hasJumps)
        soundHeaders = headers
    }

    /// A year, in nanoseconds.
    private static let forever: Int64 = 31_536_000_000_000_000

    /// Where the time stamps have come to, in nanoseconds; nil before the first.
    var end: Int64? { loop.end }

    /// - Throws: `.cancelled`, `.timedOut`, `.readFailed`.
    public mutating func next() throws(MediaError) -> CodedPacket? {
        let mark = LogTail.mark()
        while true {
            if reorderedTimes?.takeFirst(into: packet) == true { return deliver(0, since: mark) }
            let status = read()
            // libavformat reports an interrupted read of some protocols as the end.
            guard !interruption.stop.isRaised else {
                throw MediaError(.cancelled, object: url, what: "stopped")
            }
            if status == clibav_error_eof() {
                noteDamage(since: mark)
                reorderedTimes?.end()
                if reorderedTimes?.isEmpty == false { continue }
                guard loops, hasDelivered else { return nil }
                try rewind()
                continue
            }
            if status == clibav_error_again() { continue }
            guard status >= 0 else {
                throw LibAVFailure.error(
                    status, .readFailed, object: url, what: "cannot be read on", since: mark, interruption: interruption)
            }
            let position = Int(packet.pointer.pointee.stream_index)
            // A transport stream may announce streams later: they were in no description.
            guard indices.indices.contains(position), let index = indices[position] else {
                if !indices.indices.contains(position) { tell("stream \(position) has come later, and is not carried") }
                continue
            }
            guard soundHeaders.strip(packet) else {
                noteDamage(since: mark, isCertain: true)
                continue
            }
            if reorderedTimes != nil, packet.hasNoTime {
                reorderedTimes?.take(packet)
                continue
            }
            return deliver(index, since: mark)
        }
    }

    /// - Returns: libavformat's status.
    private mutating func read() -> Int32 {
        if soundHeaders.ahead.takeFirst(into: packet) { return 0 }
        av_packet_unref(packet.pointer)
        interruption.setDeadline(in: readTimeout)
        defer { interruption.clearDeadline() }
        return av_read_frame(input.pointer, packet.pointer)
    }

    /// What is in `packet` goes to whoever asked.
    private mutating func deliver(_ index: Int, since mark: UInt64) -> CodedPacket {
        hasDelivered = true
        let description = packet.description(stream: index)
        if description.isCorrupt { noteDamage(since: mark, isCertain: true) }
        if description.isKey { lookForNewSize(Int(packet.pointer.pointee.stream_index), index) }
        let before = jumps.count
        let placed = jumps.place(missingTimes.complete(description))
        if jumps.count > before { tell("its time stamps jump: what comes is joined to what was before") }
        return loop.place(placed)
    }

    public func withBytes<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        try packet.withBytes(body)
    }

    /// Goes back to the beginning.
    /// - Throws: `.readFailed` if this cannot be rewound.
    private mutating func rewind() throws(MediaError) {
        let mark = LogTail.mark()
        av_packet_unref(packet.pointer)
        let status = input.seek(to: 0)
        guard status >= 0 else {
            throw LibAVFailure.error(
                status, .readFailed, object: url, what: "cannot be rewound", since: mark, interruption: interruption)
        }
        hasDelivered = false
        missingTimes = MissingTimes(streams)
        reorderedTimes = ReorderedTimes(streams)
        jumps = TimeJumps(streams, isEnabled: input.hasJumps)
        loop.wrap()
    }

    /// Tells once of what libav complains of, or marks as damaged.
    private mutating func noteDamage(since mark: UInt64, isCertain: Bool = false) {
        let lines = LogTail.lines(since: mark)
        guard isCertain || !lines.isEmpty else { return }
        let cause = lines.first.map { " (libav: \($0))" } ?? ""
        if told.insert("damage").inserted { remarks.append("it is damaged: what can be read of it goes on\(cause)") }
    }

    private mutating func tell(_ remark: String) {
        if told.insert(remark).inserted { remarks.append(remark) }
    }

    /// A stream whose pictures have another size from here on has another description.
    private mutating func lookForNewSize(_ position: Int, _ index: Int) {
        guard var video = streams[index].video, let stream = input.streams[position], let parser = av_stream_get_parser(stream) else { return }
        let (width, height) = (parser.pointee.width, parser.pointee.height)
        guard width > 0, height > 0, width != video.width || height != video.height else { return }
        // Without its headers a decoder would be told of the old size.
        guard let extradata = ParameterSets.of(packet, stream.pointee.codecpar) else { return }
        (video.width, video.height) = (width, height)
        streams[index].kind = .video(video)
        streams[index].extradata = extradata
        (streams[index].profile, streams[index].level) = (nil, nil)
        generation += 1
    }

    private static func kind(of stream: UnsafeMutablePointer<AVStream>) -> String {
        if stream.pointee.disposition & clibav_disposition_attached_picture() != 0 { return "attached picture" }
        let name = av_get_media_type_string(stream.pointee.codecpar.pointee.codec_type)
        let kind = name.map { String(cString: $0) } ?? "unknown"
        let isMedia = [AVMEDIA_TYPE_VIDEO, AVMEDIA_TYPE_AUDIO].contains(stream.pointee.codecpar.pointee.codec_type)
        return isMedia ? "\(kind) of which too little is known" : kind
    }
}

extension StreamDescription {
    /// One header for all packets, in place of one in front of each; the tag named the latter.
    fileprivate mutating func takeHeader(_ header: [UInt8]) {
        extradata = header
        codecTag = 0
    }

    /// - Returns: nil for what is not carried.
    fileprivate init?(_ stream: UnsafeMutablePointer<AVStream>, index: Int) {
        let stream = stream.pointee
        guard stream.disposition & clibav_disposition_attached_picture() == 0 else { return nil }
        self.init(stream.codecpar, index: index, timeBase: stream.time_base)
        startTime = stream.start_time == clibav_no_pts() ? nil : stream.start_time
        disposition = UInt32(bitPattern: stream.disposition)
        language = Self.text("language", stream.metadata)
        title = Self.text("title", stream.metadata)
        if case .video(var video) = kind {
            video.frameRate = Ratio(stream.avg_frame_rate)
            video.realFrameRate = Ratio(stream.r_frame_rate)
            if !video.sampleAspect.isKnown { video.sampleAspect = Ratio(stream.sample_aspect_ratio) }
            kind = .video(video)
        }
    }

    /// Whether there is enough of it to be described to anybody: a stream that begins late may be known by its name alone.
    fileprivate var isComplete: Bool {
        switch kind {
        case .video(let video): video.width > 0 && video.height > 0
        case .audio(let audio): audio.sampleRate > 0 && audio.channels > 0
        case .subtitle: true
        }
    }

    private static func text(_ key: String, _ metadata: OpaquePointer?) -> String {
        av_dict_get(metadata, key, nil, 0).map { String(cString: $0.pointee.value) } ?? ""
    }
}
