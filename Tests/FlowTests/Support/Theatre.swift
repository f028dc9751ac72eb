import Foundation

/// A display and a sound card that nobody sees or hears but a program: Xvfb, and PulseAudio with a paced sink that goes nowhere.
struct Theatre {
    let scratch: Scratch
    private let server: Program
    private let sound: Program
    private let display: String

    /// What a player's environment needs.
    var environment: [String: String] { ["DISPLAY": display] }

    init(in scratch: Scratch) async throws {
        self.scratch = scratch
        let server = try Program(["Xvfb", "-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp"], in: scratch)
        sound = try Program(
            [
                "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "-L", "module-native-protocol-unix auth-anonymous=1", "-L",
                "module-null-sink sink_name=loft",
            ], in: scratch)
        self.server = server
        try await until("Xvfb has a display") { server.output.hasSuffix("\n") }
        display = ":" + server.output.trimmingCharacters(in: .whitespacesAndNewlines)
        let home = scratch.environment["HOME"] ?? ""
        try "pcm.!default { type pulse }\nctl.!default { type pulse }\n".write(
            toFile: home + "/.asoundrc", atomically: true, encoding: .utf8)
        try await until("the sound server answers") {
            try await Program(["pactl", "info"], in: scratch).ended().status == 0
        }
    }

    /// Ends the screen under those who draw on it.
    func closeScreen() async throws { try await Servers.crash(server) }

    /// Looks at the middle of the screen a hundred times a second, and listens, by one clock.
    func watch() async throws -> Witness {
        let witness = try Witness(display: display, in: scratch)
        // From here on the sink has a listener who wants to hear soon, and works in short pieces.
        try await until("the witness sees and hears") { witness.hasBegun }
        return witness
    }
}

/// ffmpeg before screen and loudspeaker: it writes down how bright and how loud it is, and when.
struct Witness {
    private let program: Program
    private let pictures: String
    private let sounds: String

    init(display: String, in scratch: Scratch) throws {
        pictures = scratch.log("brightness")
        sounds = scratch.log("loudness")
        program = try Program(
            [
                "ffmpeg", "-v", "error", "-copyts", "-thread_queue_size", "1024", "-f", "x11grab", "-framerate", "100", "-video_size", "64x64",
                "-grab_x", "288", "-grab_y", "200", "-i", display, "-thread_queue_size", "1024", "-f", "pulse", "-fragment_size", "960", "-i",
                "loft.monitor", "-map", "0:v", "-vf",
                "scale=8:8,signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=\(pictures):direct=1", "-f", "null", "-", "-map", "1:a", "-af",
                "asetnsamples=48,astats=metadata=1:reset=1,ametadata=print:key=lavfi.astats.Overall.Peak_level:file=\(sounds):direct=1", "-f",
                "null", "-",
            ], in: scratch)
    }

    var hasBegun: Bool { [pictures, sounds].allSatisfy { FileManager.default.contents(atPath: $0)?.isEmpty == false } }

    /// How many seconds after the beep next to it each flash came, by one clock, as far as it has noted them.
    func skews() throws -> [Double] {
        // The time stamps of x11grab are microseconds, those of 48,000 Hz are samples.
        let flashes = try edges(in: pictures, over: 180, ticks: 1e6)
        let beeps = try edges(in: sounds, over: -30, ticks: 48000)
        return flashes.compactMap { flash in beeps.map { flash - $0 }.min { abs($0) < abs($1) } }
    }

    func leave() async throws {
        program.send(SIGINT)
        _ = try await program.ended()
    }

    /// Seconds at which something went over a threshold.
    private func edges(in file: String, over threshold: Double, ticks: Double) throws -> [Double] {
        var time = 0.0
        var wasOver = true
        var edges: [Double] = []
        // It may be writing the last line.
        for line in try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            if let found = line.firstMatch(of: /pts:(-?\d+)/), let number = Double(found.1) {
                time = number / ticks
            } else if let value = line.split(separator: "=").last {
                let isOver = value == "-inf" ? false : (Double(value) ?? 0) > threshold
                if isOver && !wasOver { edges.append(time) }
                wasOver = isOver
            }
        }
        return edges
    }
}
