import ArgumentParser
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
