import Foundation
import Glibc

/// A display and a sound card that nobody sees or hears but a program: Xvfb, and PulseAudio with a paced sink that goes nowhere.
struct Theatre {
    let scratch: Scratch
    private let server: Program
    private let sound: Program
    private let display: String
    /// Where the screen's memory is.
    private var screen: String { scratch.log("Xvfb_screen0") }
    private static let sink = "loft"

    /// Begins the command line of whoever must not wait for the processor, where other tests want it as well: what is measured then is
    /// the program and not the machine. Only root may have that.
    static let urgent = geteuid() == 0 ? ["chrt", "--rr", "10"] : []

    /// What a player's environment needs.
    var environment: [String: String] { ["DISPLAY": display] }

    init(in scratch: Scratch) async throws {
        self.scratch = scratch
        let server = try Program(
            Self.urgent + ["Xvfb", "-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp", "-fbdir", scratch.log("")], in: scratch)
        sound = try Program(
            Self.urgent + [
                "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "-L", "module-native-protocol-unix auth-anonymous=1", "-L",
                "module-null-sink sink_name=\(Self.sink) rate=48000",
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

    /// Looks and listens from here on.
    func watch() async throws -> Witness {
        let witness = try Witness(screen: screen, sink: Self.sink, in: scratch)
        // From here on the sink has a listener who wants to hear soon, and works in short pieces.
        try await until("the witness hears") { witness.hasBegun }
        return witness
    }
}
