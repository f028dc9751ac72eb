import ArgumentParser
import Glibc
import Service

struct PipeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pipe",
        abstract: "Write a network's stream to standard output, for another program.",
        discussion: """
            Every packet is written as it comes. Ends with the stream, or when whoever reads has enough.

            EXAMPLES
              ipn pipe /tmp/cam | mpv --profile=low-latency -
              ipn pipe /tmp/cam | ffmpeg -i - -c copy part.mkv
              ipn pipe /tmp/cam --format mpegts | gst-launch-1.0 fdsrc ! tsdemux ! h264parse ! avdec_h264 ! autovideosink
            """)

    @Argument(help: ArgumentHelp("The network.", valueName: "network"), completion: .file())
    var path: String
    @Option(help: "The container: matroska or mpegts.")
    var format = PipeSink.Container.matroska
    @OptionGroup var consumer: ConsumerArguments

    func run() throws { try Self.write(path, format, consumer.settings) }

    /// Also what `ipn record NETWORK -` does.
    static func write(_ path: String, _ format: PipeSink.Container, _ settings: ConsumeSettings) throws {
        guard isatty(STDOUT_FILENO) == 0 else {
            throw Failure("standard output is a terminal: pipe it into a player, as in ipn pipe \(path) | mpv -", status: .usage)
        }
        let stop = try StopSignal()
        let job = ConsumeJob(from: path, settings: settings, stop: stop, meter: ProgressMeter(.nobody))
        let progress = try job.run(PipeSink(format, stop: stop), description: "ipn pipe")
        if progress.packets == 0 { throw Failure("\(path): nothing was written: no key frame came before the end") }
    }
}

extension PipeSink.Container: ExpressibleByArgument {}
