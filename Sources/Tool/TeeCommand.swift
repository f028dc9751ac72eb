import ArgumentParser
import IPN
import Media
import Service

struct TeeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tee",
        abstract: "One source, several consumers, one command.",
        discussion: """
            Publishes INPUT once on a network of its own; every consumer takes it from there in a process of its own, \
            and none can slow another. Ends with the input, after --duration, or on Ctrl-C.

            EXAMPLES
              ipn tee movie.mp4 --record copy.mkv --stream out/live.m3u8 --play
              ipn tee v4l2:/dev/video0 --size 1280x720 --play --record day.mkv
              ipn tee v4l2:/dev/video0 --encode libx264:2M --record day.mp4 --stream rtmp://127.0.0.1/live/a
              ipn tee test: --play --duration 10
              ipn tee rtsp://cam.example/1 --record a.mkv --stream rtmp://127.0.0.1/live/a --metrics 127.0.0.1:9464
              ipn tee -f party.toml                       each option is a key: input = "test:", record = ["a.mkv", "b.mp4"]
              ipn tee -f party.toml other.mp4 --play      what is said here as well wins; consumers come beside those
            """)

    @Argument(help: "Files, addresses, playlists, folders of pictures, v4l2:DEVICE, alsa:PCM, or test:", completion: .file())
    var input: [String] = []
    @Option(name: [.short, .long], help: "A TOML file that has options as keys, and the input.", completion: .file(extensions: ["toml"]))
    var file: String?
    @Option(help: "Record into that file; may be repeated.")
    var record: [String] = []
    @Option(help: "Send on to that address; may be repeated.")
    var stream: [String] = []
    @Flag(help: "Show it in a window, or in the terminal where there is no display.")
    var play = false
    @Flag(inversion: .prefixedNo, help: "Play the sound.")
    var sound = true
    @Flag(help: "Replace recordings that are there.")
    var overwrite = false
    @Option(help: "End after that many seconds.")
    var duration: Seconds?
    @Flag(help: "Start a consumer again that has failed, as long as the input runs; a recording goes on in copy-2.mkv.")
    var restart = false
    @Option(help: "The network's path, so that others can join. [default: one of its own in the temporary folder]")
    var network: String?
    @Option(help: "Who may join, in octal.")
    var mode = Mode.ownerOnly
    @Option(help: "Where consumers go on after a loss: next (key frame), newest (key frame that is kept).")
    var afterLoss: AfterLossArgument?
    @Option(help: "Serve figures for Prometheus there: 127.0.0.1:9464, at /metrics.")
    var metrics: ListenArgument?
    @OptionGroup(title: "FILES AND ADDRESSES") var source: SourceArguments
    @OptionGroup(title: "CODING") var encoding: EncodingArguments
    @OptionGroup(title: "CAMERAS AND MICROPHONES") var device: DeviceArguments

    func validate() throws {
        // A file may have them.
        if file != nil { return }
        if input.isEmpty { throw ValidationError("name an input: a file, an address, v4l2:DEVICE, alsa:PCM, or test:") }
        if record.isEmpty && stream.isEmpty && !play {
            throw ValidationError("name a consumer: --record FILE, --stream ADDRESS, --play")
        }
    }

    func run() throws {
        guard let file else { return try runParty() }
        try merged(with: try PartyFile(file)).runParty()
    }

    /// The command that file and command line are together.
    private func merged(with party: PartyFile) throws -> TeeCommand {
        try party.check { words in
            do {
                _ = try TeeCommand.parse(words + ["--file", party.path])
                return nil
            } catch {
                return TeeCommand.message(for: error).split(separator: "\n").first.map(String.init) ?? "wrong usage"
            }
        }
        let own = Array(CommandLine.arguments.drop { $0 != "tee" }.dropFirst())
        let names = own.filter { $0.hasPrefix("--") }.map { $0.dropFirst(2).prefix { $0 != "=" } }
        // What may be repeated comes beside the file's; all else is the command line's alone where it is said there.
        let said = Set(names.map { $0 == "no-sound" ? "sound" : String($0) }).subtracting(["record", "stream", "control"])
        let command = try TeeCommand.parse((input.isEmpty ? party.input : []) + party.words(without: said) + own)
        if command.input.isEmpty { throw party.missing("input is missing: what is to be published") }
        if command.record.isEmpty && command.stream.isEmpty && !command.play {
            throw party.missing("a consumer is missing: record, stream or play")
        }
        return command
    }

    private func runParty() throws {
        let stop = try StopSignal()
        var tee = Tee(stop: stop, path: network, mode: mode.permissions, restarts: restart, metrics: metrics?.address)
        let afterLoss = afterLoss.map { ["--after-loss", $0.rawValue] } ?? []
        for file in record {
            tee.add("record", label: file, ["record", "{network}", file] + (overwrite ? ["--overwrite"] : []) + afterLoss, file: overwrite ? nil : 2)
        }
        for address in stream { tee.add("stream", label: "\(LoggedAddress(address))", ["stream", "{network}", address] + afterLoss) }
        if play { tee.add("play", label: "", ["play", "{network}"] + (sound ? [] : ["--no-sound"]) + afterLoss) }
        var publish = ["publish"] + input + ["{network}"]
        if let duration { publish += ["--duration", "\(duration.seconds)"] }
        publish += device.words + encoding.words + source.words
        let failed = try tee.run(publish: publish, label: "\(LoggedAddress(input[0]))" + (input.count > 1 ? " …" : ""))
        if failed { throw ExitCode(ExitStatus.failed.rawValue) }
    }
}
