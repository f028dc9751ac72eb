import ArgumentParser
import Display
import Service

struct PlayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "play",
        abstract: "Show a network's stream in a window, or in the terminal where there is no display.",
        discussion: """
            Pictures and sound come at the same time after their capture, whatever they are coded with. Any number may \
            play one network. --stats tells that time as it is on screen and ear, and how far they are apart.

            KEYS
              space  pause: the stream goes on meanwhile     m  mute
              arrows, 9 and 0  volume      f  full screen     q, Esc  leave

            EXAMPLES
              ipn play /tmp/cam
              ipn play /tmp/cam --latency 40 --stats
              ipn play /tmp/cam --terminal --no-sound
              ipn play /tmp/cam --v4l2-out /dev/video10    # of v4l2loopback: a camera for programs that know nothing else
            """)

    @Argument(help: ArgumentHelp("The network.", valueName: "network"), completion: .file())
    var path: String
    @Flag(inversion: .prefixedNo, help: "Play the sound.")
    var sound = true
    @Flag(help: "Draw in the terminal, also where there is a display.")
    var terminal = false
    @Option(help: "Feed the pictures to that device instead, as those of v4l2loopback.", completion: .file())
    var v4l2Out: String?
    @Option(help: "Of the pictures there. [default: the stream's, or what the device takes]")
    var v4l2Format: OutputFormatArgument?
    @Flag(help: "Begin with the whole screen.")
    var fullScreen = false
    @Option(help: "Milliseconds from capture to screen and ear, 10 to 5000; more where packets or the sound card need it.")
    var latency = 100
    @Option(help: "Percent, 0 to 100.")
    var volume = 100
    @Option(help: "An ALSA device, of those that `aplay -L` lists.")
    var soundDevice = "default"
    @Flag(help: "Tell delays, skew and losses each second, beside the picture or on standard error.")
    var stats = false
    @OptionGroup var consumer: ConsumerArguments
    @OptionGroup var supervision: SupervisionArguments

    func validate() throws {
        guard 10...5000 ~= latency else { throw ValidationError("--latency \(latency): take 10 to 5000 milliseconds") }
        guard v4l2Format == nil || v4l2Out != nil else { throw ValidationError("--v4l2-format is for --v4l2-out DEVICE") }
        guard v4l2Out == nil || !terminal else { throw ValidationError("either --terminal or --v4l2-out") }
        guard 0...100 ~= volume else { throw ValidationError("--volume \(volume): take 0 to 100 percent") }
    }

    private var settings: PlayerSettings {
        var settings = PlayerSettings()
        settings.title = path
        settings.output = v4l2Out.map { .camera($0, v4l2Format?.format) } ?? (terminal ? .terminal : .automatic)
        settings.isFullScreen = fullScreen
        settings.sound = sound
        settings.soundDevice = soundDevice
        settings.volume = volume
        settings.latency = Int64(latency) * 1_000_000
        return settings
    }

    func run() throws {
        let stop = try StopSignal()
        // The picture may be in the terminal: no progress is written over it.
        let meter = supervision.progressDescriptor == nil ? ProgressMeter(.nobody) : supervision.meter("play")
        // A busy machine may take longer to close a window than to leave a microphone.
        if sound { stop.leaveUnanswered(soundDevice, seconds: 5) }
        let job = ConsumeJob(from: path, settings: consumer.settings, stop: stop, meter: meter)
        _ = try job.run(PlayerSink(settings, showsStatistics: stats, stop: stop.flag), description: "ipn play")
    }
}

/// `yuyv`, `yuv420`, `nv12`.
struct OutputFormatArgument: ExpressibleByArgument {
    let format: V4L2OutputFormat

    init?(argument: String) {
        guard let format = V4L2OutputFormat(rawValue: argument.lowercased()) else { return nil }
        self.format = format
    }

    static var allValueStrings: [String] { V4L2OutputFormat.allCases.map(\.rawValue) }
}
