import ArgumentParser
import Media
import Service

struct StreamCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stream",
        abstract: "Send a network's stream on: HLS, DASH, RTMP, RTSP, SRT, RIST, RTP, UDP, Icecast.",
        discussion: """
            Several addresses are served by a process each: one that is dead or slow holds up no other. A server that goes \
            away is tried again after 0.5 s, 1 s, 2 s and so on up to 30 s, and the stream goes on at the last key frame that is \
            kept, so that there is a picture at once (with --join next, at the next one). Streams are sent as they are, unless \
            they are to be coded anew: each address then codes for itself.
            --low-latency is what libavformat has of it: its HLS has segments of a second and no parts (EXT-X-PART), its DASH is \
            written picture by picture. With --option hls_playlist=1 the same segments have HLS playlists beside the .mpd; \
            what announces the segment to come (lhls, EXT-X-PREFETCH) libavformat does not write into files.

            EXAMPLES
              ipn stream /tmp/cam out/live.m3u8
              ipn stream /tmp/cam rtmp://127.0.0.1/live/cam 'srt://127.0.0.1:9000'
              ipn stream /tmp/cam icecast://source:hackme@127.0.0.1:8000/cam.ogg --audio libopus:96k --retries 10
              ipn stream /tmp/cam rtmp://127.0.0.1/live/cam --video libx264:2M --audio aac:128k --size 1280x720
              ipn stream /tmp/cam 'rtp://239.1.2.3:5004?ttl=4' --sdp cam.sdp
              ipn stream /tmp/cam out/live.mpd --low-latency
            """)

    @Argument(help: ArgumentHelp("The network.", valueName: "network"), completion: .file())
    var path: String
    @Argument(help: "Where to: addresses, or a playlist .m3u8 whose folder is made.")
    var addresses: [String]
    @Option(help: "The container, where the address does not tell.")
    var format: String?
    @Option(name: .customLong("option"), help: "A muxer's or a protocol's option: key=value.")
    var options: [LibraryOption] = []
    @Option(help: "Write the description of an RTP session there: each stream then has ports of its own.", completion: .file())
    var sdp: String?
    @Flag(help: "HLS and DASH in short fragments (fMP4), as far as libavformat has it.")
    var lowLatency = false
    @OptionGroup var coding: CodingArguments
    @Flag(inversion: .prefixedNo, help: "Try again where a server is not there, or goes away.")
    var reconnect = true
    @Option(help: "How often to try again, each time. [default: until it is there]")
    var retries: Int?
    @OptionGroup var consumer: ConsumerArguments
    @OptionGroup var supervision: SupervisionArguments

    func validate() throws {
        if let retries, retries < 0 { throw ValidationError("--retries: a number from 0 on") }
        if sdp != nil && addresses.count > 1 { throw ValidationError("--sdp describes one address") }
        if retries != nil && !reconnect { throw ValidationError("--retries and --no-reconnect exclude each other") }
    }

    func run() throws {
        let stop = try StopSignal()
        if addresses.count > 1 { return try fanOut(stop) }
        var target = StreamTarget(address: addresses[0])
        target.format = format
        target.options = options.map { ($0.key, $0.value) }
        target.coding = coding.settings
        target.sessionFile = sdp
        target.isLowLatency = lowLatency
        target.retries = reconnect ? retries : 0
        let report = StreamReport()
        let job = ConsumeJob(from: path, settings: consumer.settings, stop: stop, meter: supervision.meter("stream"))
        _ = try job.run(
            StreamSink(target, stop: stop.flag, report: report), description: "ipn stream \(LoggedAddress(target.address))")
        guard !report.hasReached else { return }
        // Why was said when it happened.
        throw report.hasFailed ? ExitCode(ExitStatus.failed.rawValue) : supervision.nothingCame(path, "sent on")
    }

    private func fanOut(_ stop: StopSignal) throws {
        var fanout = Fanout(stop: stop)
        for address in addresses {
            var words = ["stream", path, address]
            if let format { words += ["--format", format] }
            for option in options { words += ["--option", "\(option.key)=\(option.value)"] }
            if lowLatency { words.append("--low-latency") }
            words += coding.words
            if !reconnect { words.append("--no-reconnect") }
            if let retries { words += ["--retries", "\(retries)"] }
            words += consumer.words
            fanout.add("\(LoggedAddress(address))", words)
        }
        if try fanout.run() { throw ExitCode(ExitStatus.failed.rawValue) }
    }
}
