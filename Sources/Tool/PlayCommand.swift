import ArgumentParser
import Service

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
