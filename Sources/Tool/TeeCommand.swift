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
              ipn tee rtsp://cam.example/1 --record a.mkv --stream rtmp://127.0.0.1/live/a
            """)

    @Argument(help: "Files, addresses, playlists, folders of pictures, v4l2:DEVICE, alsa:PCM, or test:", completion: .file())
    var input: [String]
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
    @OptionGroup(title: "FILES AND ADDRESSES") var source: SourceArguments
    @OptionGroup(title: "CODING") var encoding: EncodingArguments
    @OptionGroup(title: "CAMERAS AND MICROPHONES") var device: DeviceArguments

    func validate() throws {
        if record.isEmpty && stream.isEmpty && !play {
            throw ValidationError("name a consumer: --record FILE, --stream ADDRESS, --play")
        }
    }

    func run() throws {
        let stop = try StopSignal()
        var tee = Tee(stop: stop, path: network, mode: mode.permissions, restarts: restart)
        for file in record {
            tee.add("record", label: file, ["record", "{network}", file] + (overwrite ? ["--overwrite"] : []), file: overwrite ? nil : 2)
        }
        for address in stream { tee.add("stream", label: "\(LoggedAddress(address))", ["stream", "{network}", address]) }
        if play { tee.add("play", label: "", ["play", "{network}"] + (sound ? [] : ["--no-sound"])) }
        var publish = ["publish"] + input + ["{network}"]
        if let duration { publish += ["--duration", "\(duration.seconds)"] }
        publish += device.words + encoding.words + source.words
        let failed = try tee.run(publish: publish, label: "\(LoggedAddress(input[0]))" + (input.count > 1 ? " …" : ""))
        if failed { throw ExitCode(ExitStatus.failed.rawValue) }
    }
}
