import ArgumentParser
import Media
import Service

struct RecordCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Record a network's stream into a file, as it is.",
        discussion: """
            Joins and leaves at any time: the recording begins at a key frame, and ends with the stream, on Ctrl-C or \
            after --duration. Nothing is coded again. What the next publisher sends goes into a file of its own.

            A recorder that is killed leaves a file that plays and has lost its last --fragment at most. `ipn check` says \
            what a file lacks, and repairs it.

            With --segment one file follows another, cut at key frames; names may have strftime(3)'s %Y %m %d %H %M %S in \
            them. A list of all segments stands beside them as JSON. A disk that fills up ends the recording while there is \
            room to end it well, or costs the oldest segments where --keep lets them go.

            EXAMPLES
              ipn record /tmp/cam copy.mkv
              ipn record /tmp/cam copy.mp4 --duration 10m --overwrite
              ipn record /tmp/cam cam-%Y%m%d-%H%M%S.mp4 --segment 10m --keep 24h --follow
              ipn record /tmp/cam /srv/cam/%Y-%m-%d/%H%M.mkv --segment 1h --keep 50G
              ipn record /tmp/cam alarm.mp4 --since 30s --duration 2m
              ipn record /tmp/cam sound.ogg --streams audio
            """)

    @Argument(help: ArgumentHelp("The network.", valueName: "network"), completion: .file())
    var path: String
    @Argument(
        help: "The file; its extension says the container: .mkv, .mp4, .ts, .ogg, .wav, .webm, .nut, ...; - for standard output.",
        completion: .file())
    var file: String
    @Option(help: "Begin another file after that time, at the next key frame: 30s, 10m, 1h.")
    var segment: Seconds?
    @Option(help: "Remove the oldest segments: over that age (24h, 7d), or that many bytes in all (500M, 50G).")
    var keep: Keep?
    @Option(help: "The list of segments. [default with --segment: beside them, cam.json for cam-%H%M.mp4]", completion: .file())
    var index: String?
    @Option(help: "What to record: video, audio, subtitle, or numbers as `ipn check` shows them; with commas.")
    var streams: StreamChoices?
    @Option(help: "What may be lost where the recorder is killed.")
    var fragment = Seconds(1)
    @Option(help: "Begin with that much of what is past, as far as the publisher keeps it: 30s.")
    var since: Seconds?
    @Option(help: "The container, where the extension does not tell.")
    var format: String?
    @Option(name: .customLong("option"), help: "A muxer's option: key=value.")
    var options: [LibraryOption] = []
    @Flag(help: "Replace a file that is there.")
    var overwrite = false
    @OptionGroup var consumer: ConsumerArguments
    @OptionGroup var supervision: SupervisionArguments

    func validate() throws {
        if keep != nil && segment == nil && index == nil { throw ValidationError("--keep lets segments go: give --segment as well") }
        if let segment, segment.seconds < 0.1 { throw ValidationError("--segment \(segment.seconds): less than 0.1 s") }
        if file == "-" {
            guard format.flatMap(PipeSink.Container.init(rawValue:)) != nil else {
                throw ValidationError("- is standard output, which takes --format matroska or mpegts")
            }
            if segment != nil || index != nil || streams != nil || !options.isEmpty {
                throw ValidationError("--segment, --index, --streams and --option are for files, and - is standard output")
            }
        }
        if fragment.seconds < 0.05 { throw ValidationError("--fragment \(fragment.seconds): less than 50 ms") }
    }

    func run() throws {
        if file == "-", let container = format.flatMap(PipeSink.Container.init(rawValue:)) {
            var settings = consumer.settings
            if let since { settings.join = .since(since.nanoseconds) }
            return try PipeCommand.write(path, container, settings)
        }
        let stop = try StopSignal()
        var settings = consumer.settings
        if let since { settings.join = .since(since.nanoseconds) }
        let job = ConsumeJob(from: path, settings: settings, stop: stop, meter: supervision.meter("record"))
        let progress = try job.run(try Recorder(recording, stop: stop.flag), description: "ipn record \(file)")
        if progress.packets == 0 { throw supervision.nothingCame(path, "recorded") }
    }

    private var recording: RecordSettings {
        var settings = RecordSettings(pattern: file)
        settings.format = format
        settings.options = options.map { ($0.key, $0.value) }
        settings.overwrite = overwrite
        settings.fragment = fragment.nanoseconds
        settings.segment = segment?.nanoseconds
        settings.keep = keep?.limit
        settings.index = index ?? (segment == nil ? nil : settings.usualIndex)
        settings.choices = streams?.choices ?? []
        settings.duration = consumer.duration?.nanoseconds
        return settings
    }
}

/// An age or a number of bytes: `24h`, `7d`, `500M`, `50G`.
struct Keep: ExpressibleByArgument {
    let limit: RecordSettings.Keep

    init?(argument: String) {
        // A number alone could be either.
        guard argument.last?.isLetter ?? false else { return nil }
        if let age = Seconds(argument: argument) {
            limit = .time(age.nanoseconds)
        } else if let count = ByteCount(argument: argument) {
            limit = .bytes(UInt64(count.bytes))
        } else {
            return nil
        }
    }
}

/// `video`, `audio,2`.
struct StreamChoices: ExpressibleByArgument {
    let choices: [RecordSettings.Choice]

    init?(argument: String) {
        var choices: [RecordSettings.Choice] = []
        for word in argument.split(separator: ",", omittingEmptySubsequences: false) {
            switch word {
            case "video": choices.append(.video)
            case "audio": choices.append(.audio)
            case "subtitle", "subtitles": choices.append(.subtitle)
            default:
                guard let number = Int(word), number >= 0 else { return nil }
                choices.append(.index(number))
            }
        }
        self.choices = choices
    }
}
