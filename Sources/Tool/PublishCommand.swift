import ArgumentParser
import IPN
import LibAV
import Media
import Service

struct PublishCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish",
        abstract: "Put a camera, a microphone, a file, an address or the test signal on a network, for any number of consumers.",
        discussion: """
            INPUT is whatever libavformat opens, or - for standard input; v4l2:DEVICE, a camera; alsa:PCM, whatever alsa captures from (see ipn devices); \
            or test: for a moving picture with a running time code and a tone. \
            Several inputs follow each other, and so do the lines of a playlist (.m3u) and the pictures of a folder; where the \
            format changes, consumers get a new description. What cannot be read is said, and left out. \
            The network is made if there is none (mode 700 unless told otherwise), and ends with the last who is on it. \
            The test signal takes options, in FFmpeg's words: size, rate, codec \
            (libx264, hevc, mjpeg, rawvideo …), audio (aac, libopus, pcm_s16le, none), gop, sample_rate, frequency, \
            duration; flash makes it white while it beeps; barcode puts number and time of each picture in it, for programs.
            Devices and the test signal rest while nobody receives, unless --history asks for the past (30s, 64M); with --on-demand all \
            inputs rest. Whoever joins later begins at the last key frame, which is kept, or at an older one with --history.

            EXAMPLES
              ipn publish movie.mp4 /tmp/cam
              ipn publish intro.mp4 film.mkv /tmp/cam --loop
              ipn publish film.mkv /tmp/cam --seek 1:30 --speed 2
              ipn publish slides/*.jpg /tmp/cam --slide 8s --loop
              ffmpeg … -f matroska - | ipn publish - /tmp/cam
              ipn publish test: /tmp/cam --duration 60
              ipn publish test:size=1920x1080,rate=60,codec=rawvideo,audio=none /tmp/cam
              ipn publish test:size=hd720,flash,barcode /tmp/cam
              ipn publish v4l2:/dev/video0 /tmp/cam --size 1280x720 --rate 30 --format mjpeg
              ipn publish v4l2:/dev/video0 /tmp/cam --encode libx264:2M --beside
              ipn publish alsa:hw:0 /tmp/mic --rate 48000 --channels 2 --period 256
              ipn publish rtsp://camera.example/1 /tmp/cam --mode 750 --wait
              ipn publish rtsp://camera.example/1 /tmp/cam --on-demand --history 30s
              ipn publish movie.mkv /tmp/cam --fast --lossless --wait-readers 3
            """)

    @Argument(
        help: ArgumentHelp(
            "Files, addresses, playlists, folders of pictures, v4l2:DEVICE, alsa:PCM, or test:; then the network.", valueName: "input ... network"),
        completion: .file())
    var operands: [String]
    @Flag(help: "As fast as the network takes it, not by the clock.")
    var fast = false
    @Option(help: "Begin once that many receive.")
    var waitReaders = 0
    @Option(help: "End after that many seconds, waiting for readers included.")
    var duration: Seconds?
    @Option(help: "Longest message in bytes, for a new network. [default: chosen from the streams]")
    var mtu: ByteCount?
    @Option(help: "Messages that may be pending for a receiver, for a new network. [default: 256; of raw pictures, 32]")
    var pool: Int?
    @Flag(help: "For a new network: hold the publisher up for the slowest receiver, instead of dropping the oldest.")
    var lossless = false
    @Option(help: "Who may receive (r), send (w) and manage (x), in octal; for a new network.")
    var mode = Mode.ownerOnly
    @Option(help: "What to keep for those who join later: last (key frame), none, a time (30s, 5min) or an amount (64M).")
    var history: HistoryArgument?
    @Flag(help: "Rest until somebody receives, and again when nobody does any more.")
    var onDemand = false
    @Option(help: "With --on-demand: seconds that nobody receives before it rests.")
    var restAfter: Seconds = Seconds(5)
    @OptionGroup(title: "FILES AND ADDRESSES") var source: SourceArguments
    @OptionGroup(title: "CODING") var encoding: EncodingArguments
    @OptionGroup(title: "CAMERAS AND MICROPHONES") var device: DeviceArguments
    @OptionGroup var supervision: SupervisionArguments

    func validate() throws {
        if waitReaders < 0 { throw ValidationError("--wait-readers: a number from 0 on") }
        if operands.count < 2 { throw ValidationError("name the network's path behind what is published") }
        if let last = operands.last, ["test:", "v4l2:", "alsa:"].contains(where: last.hasPrefix) || last.contains("://") {
            throw ValidationError("\(last): the network's path comes last, behind what is published")
        }
    }

    func run() throws {
        let stop = try StopSignal()
        let input = try reading { () throws(MediaError) in try Input(operands.dropLast(), device.options) }
        let path = operands[operands.count - 1]
        var job = PublishJob(input, to: path, stop: stop, meter: supervision.meter("publish"))
        job.poolSize = pool
        job.network.isLossless = lossless
        job.network.mode = mode.permissions
        job.coding = encoding.settings
        job.isBeside = encoding.beside
        job.playlist = source.settings
        job.playlist.waits = device.wait
        job.mtu = mtu?.bytes
        var settings = PublishSettings()
        settings.isFast = fast
        settings.speed = source.speed
        settings.waitReaders = waitReaders
        settings.duration = duration?.nanoseconds
        settings.history = history?.extent
        if onDemand { settings.restsAfter = restAfter.nanoseconds }
        try making(at: path) { try job.run(settings) }
    }
}
