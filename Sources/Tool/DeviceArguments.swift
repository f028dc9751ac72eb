import ArgumentParser
import Service

/// What is asked of a camera or a microphone. What it cannot do is said with what it can.
struct DeviceArguments: ParsableArguments {
    @Option(help: "Of a camera's pictures: 1280x720. [default: as it stands]")
    var size: String?
    @Option(help: "Pictures a second (30, 30000/1001; default: up to 30), or samples a second (48000).")
    var rate: String?
    @Option(help: "yuyv, nv12, mjpeg, h264, best, …; S16_LE, s32, … [default: the first of ours that it has]")
    var format: String?
    @Option(name: .customLong("control"), help: "Set a camera's control: brightness=20; may be repeated. See ipn control.")
    var controls: [LibraryOption] = []
    @Option(help: "Of sound. [default: 2, or the nearest that it has]")
    var channels: Int?
    @Option(help: "Samples of a channel in a message. [default: 10 ms]")
    var period: Int?
    @Option(help: "Samples of a channel that the device keeps for us. [default: 8 periods]")
    var buffer: Int?
    @Flag(help: "When it is unplugged, or the server of an address goes away, wait for it to come back.")
    var wait = false

    var options: DeviceOptions {
        var options = DeviceOptions()
        options.size = size
        options.rate = rate
        options.format = format
        options.controls = controls.map { ($0.key, $0.value) }
        options.channels = channels
        options.period = period
        options.buffer = buffer
        options.waits = wait
        return options
    }

    /// The same as words of a command line.
    var words: [String] {
        let numbers = [("--channels", channels), ("--period", period), ("--buffer", buffer)].map { ($0.0, $0.1.map(String.init)) }
        let pairs = [("--size", size), ("--rate", rate), ("--format", format)] + numbers
        return optionWords(pairs) + controls.flatMap { ["--control", "\($0.key)=\($0.value)"] }
            + (wait ? ["--wait"] : [])
    }
}
