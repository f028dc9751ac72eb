import ArgumentParser
import IPN
import Service

struct RecordCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Record a network's stream into a file, as it is.",
        discussion: """
            Joins and leaves at any time: the recording begins at a key frame, and ends with the stream, on Ctrl-C or \
            after --duration. Nothing is coded again. What the next publisher sends goes into a file of its own.

            EXAMPLES
              ipn record /tmp/cam copy.mkv
              ipn record /tmp/cam copy.mp4 --duration 60 --overwrite
            """)

    @Argument(help: "The network.", completion: .file())
    var path: String
    @Argument(help: "The file; its extension says the container: .mkv, .mp4, .ts, .webm, .nut, ...", completion: .file())
    var file: String
    @Option(help: "The container, where the extension does not tell.")
    var format: String?
    @Option(name: .customLong("option"), help: "A muxer's option: key=value.")
    var options: [LibraryOption] = []
    @Flag(help: "Replace a file that is there.")
    var overwrite = false
    @OptionGroup var consumer: ConsumerArguments
    @OptionGroup var supervision: SupervisionArguments

    func run() throws {
        let stop = try StopSignal()
        let job = ConsumeJob(from: path, settings: consumer.settings, stop: stop, meter: supervision.meter("record"))
        let sink = FileSink(
            url: file, format: format, options: options.map { ($0.key, $0.value) }, overwrite: overwrite, stop: stop.flag)
        let progress = try job.run(sink, description: "ipn record \(file)")
        if progress.packets == 0 { throw supervision.nothingCame(path, "recorded") }
    }
}

struct StreamCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stream",
        abstract: "Send a network's stream on: HLS, RTMP, SRT, RTP, Icecast, ...",
        discussion: """
            EXAMPLES
              ipn stream /tmp/cam out/live.m3u8
              ipn stream /tmp/cam rtmp://127.0.0.1/live/cam
              ipn stream /tmp/cam 'srt://127.0.0.1:9000'
              ipn stream /tmp/cam icecast://source:hackme@127.0.0.1:8000/cam.ogg
            """)

    @Argument(help: "The network.", completion: .file())
    var path: String
    @Argument(help: "Where to: an address, or a playlist .m3u8 whose folder is made.")
    var address: String
    @Option(help: "The container, where the address does not tell.")
    var format: String?
    @Option(name: .customLong("option"), help: "A muxer's or a protocol's option: key=value.")
    var options: [LibraryOption] = []
    @OptionGroup var consumer: ConsumerArguments
    @OptionGroup var supervision: SupervisionArguments

    func run() throws {
        let stop = try StopSignal()
        let job = ConsumeJob(from: path, settings: consumer.settings, stop: stop, meter: supervision.meter("stream"))
        let sink = FileSink(
            url: address, format: format, options: options.map { ($0.key, $0.value) }, overwrite: true, stop: stop.flag)
        let progress = try job.run(sink, description: "ipn stream \(LoggedAddress(address))")
        if progress.packets == 0 { throw supervision.nothingCame(path, "sent on") }
    }
}

struct PlayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "play",
        abstract: "Show a network's stream in a window, or in the terminal where there is no display.",
        discussion: """
            EXAMPLES
              ipn play /tmp/cam
              ipn play /tmp/cam --no-sound
            """)

    @Argument(help: "The network.", completion: .file())
    var path: String
    @Flag(inversion: .prefixedNo, help: "Play the sound.")
    var sound = true
    @OptionGroup var consumer: ConsumerArguments
    @OptionGroup var supervision: SupervisionArguments

    func run() throws {
        let stop = try StopSignal()
        // The picture may be in the terminal: no progress is written over it.
        let meter = supervision.progressDescriptor == nil ? ProgressMeter(.nobody) : supervision.meter("play")
        let job = ConsumeJob(from: path, settings: consumer.settings, stop: stop, meter: meter)
        _ = try job.run(PlayerSink(title: path, sound: sound, stop: stop.flag), description: "ipn play")
    }
}
