import Foundation
import Glibc
import Synchronization

/// A sound server that nobody hears, behind alsa-lib's plugins: what its user plays to the PCM `mouth` comes back from `ears`, at
/// the server's own pace.
final class SoundServer: Sendable {
    enum Kind: String, CaseIterable, Sendable { case pulseAudio, jack }

    /// Who runs server and programs.
    enum User: String, Sendable {
        case ourselves, nobody

        /// Who is not root is a plain user already, and can become nobody else.
        static let all: [User] = geteuid() == 0 ? [.ourselves, .nobody] : [.ourselves]
    }

    let kind: Kind
    private let user: User
    private let scratch: Scratch
    private let home: String
    private let executable: String
    private let arguments: [String]
    private let programs = Mutex<[Program]>([])
    private let server = Mutex<Program?>(nil)

    /// Runs a server while `body` runs, and ends it with all of its programs in good order: JACK leaves much behind of who is killed.
    static func with(
        _ kind: Kind, of user: User = .ourselves, in scratch: Scratch, _ body: (SoundServer) async throws -> Void
    ) async throws {
        let server = try await SoundServer(kind, of: user, in: scratch)
        do {
            try await server.start()
            try await body(server)
        } catch {
            try? await server.end()
            throw error
        }
        try await server.end()
    }

    private init(_ kind: Kind, of user: User, in scratch: Scratch) async throws {
        self.kind = kind
        self.user = user
        self.scratch = scratch
        // Sound servers put their sockets only where nobody else may.
        home = scratch.log("home")
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        try Self.plugins(kind).write(toFile: home + "/.asoundrc", atomically: true, encoding: .utf8)
        if user == .nobody { chown(home, 65534, 65534) }
        arguments =
            switch kind {
            case .pulseAudio:
                [
                    "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "-L", "module-native-protocol-unix", "-L",
                    "module-null-sink sink_name=loft rate=48000",
                ]
            case .jack: ["jackd", "--no-realtime", "-n", Self.name(scratch), "-d", "dummy", "-r", "48000", "-p", "1024"]
            }
        executable = user == .nobody ? try await scratch.copiedTool() : Scratch.executable
    }

    /// Starts the server, also once more.
    func start() async throws {
        let server = try begin(arguments)
        self.server.withLock { $0 = server }
        let question = kind == .jack ? ["jack_lsp"] : ["pactl", "info"]
        try await until("the sound server answers: \(server.complaint)") { try await begin(question).ended().status == 0 }
    }

    /// Ends it under those who use it.
    func stop() async throws {
        guard let server = server.withLock({ $0.take() }) else { return }
        server.send(SIGTERM)
        _ = try await server.ended()
    }

    /// Waits until somebody has looked for it in vain, while it is stopped. Not JACK's clients: nothing tells when they do.
    func awaitSearch() async throws {
        guard kind == .pulseAudio else { return }
        let path = home + "/pulse/native"
        unlink(path)
        let listener = Glibc.socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer {
            close(listener)
            unlink(path)
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        guard status == 0, listen(listener, 8) == 0 else { throw Program.Failure(description: "\(path): \(String(cString: strerror(errno)))") }
        try await until("somebody looks for the sound server") {
            let client = accept(listener, nil, nil)
            if client >= 0 { close(client) }
            return client >= 0
        }
    }

    /// It answers nobody, until `resume`.
    func suspend() async throws { try await server.withLock { $0 }?.suspend() }
    func resume() { server.withLock { $0 }?.resume() }

    private func end() async throws {
        resume()
        for program in programs.withLock({ $0 }) {
            program.send(SIGTERM)
            if (try? await program.ended(within: 10)) == nil { program.send(SIGKILL) }
        }
        try await stop()
    }

    private static func plugins(_ kind: Kind) -> String {
        switch kind {
        case .pulseAudio: "pcm.mouth { type pulse\n device loft }\npcm.ears { type pulse\n device loft.monitor }\n"
        case .jack:
            """
            pcm.mouth { type jack
             name mouth
             playback_ports { 0 system:playback_1
              1 system:playback_2 } }
            pcm.ears { type jack
             name ears
             capture_ports { 0 mouth:out_000
              1 mouth:out_001 } }

            """
        }
    }

    /// Of a server of JACK's, for which there is one folder on a machine.
    private static func name(_ scratch: Scratch) -> String { "ipn-" + scratch.path.split(separator: "/").dropLast().last!.suffix(8) }

    /// Starts a program of its user's.
    func run(_ arguments: [String]) throws -> Program {
        let program = try begin(arguments)
        programs.withLock { $0.append(program) }
        return program
    }

    func ipn(_ arguments: String...) throws -> Program { try run([executable] + arguments) }

    private func begin(_ arguments: [String]) throws -> Program {
        let become = user == .nobody ? ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] : []
        return try Program(
            become + arguments, in: scratch,
            environment: ["HOME": home, "XDG_RUNTIME_DIR": home, "JACK_DEFAULT_SERVER": Self.name(scratch), "JACK_NO_START_SERVER": "1"])
    }

    /// Waits until somebody plays: before that JACK has nothing for `ears`.
    func awaitSound() async throws {
        let question = kind == .jack ? ["jack_lsp"] : ["pactl", "list", "short", "sink-inputs"]
        try await until("somebody plays") {
            let answer = try begin(question)
            _ = try await answer.ended()
            return kind == .jack ? answer.output.contains("mouth:out_001") : !answer.output.isEmpty
        }
    }

    /// What `mouth` and `ears` pass on as it is, as aplay and arecord call it.
    var rawFormat: [String] { ["-t", "raw", "-r", "48000", "-c", "2", "-f", kind == .jack ? "FLOAT_LE" : "S16_LE"] }

    /// Frames of such sound as octets.
    func octets(_ frames: [(left: Double, right: Double)]) -> Data {
        var data = Data(capacity: frames.count * 8)
        for (left, right) in frames {
            switch kind {
            case .pulseAudio: withUnsafeBytes(of: (Int16(left * 32768), Int16(right * 32768))) { data.append(contentsOf: $0) }
            case .jack: withUnsafeBytes(of: (Float(left), Float(right))) { data.append(contentsOf: $0) }
            }
        }
        return data
    }

    /// The frames of a recording, -1 to 1, raw or WAV; also while it grows.
    func frames(of recording: String) -> [(left: Double, right: Double)] {
        guard var data = FileManager.default.contents(atPath: scratch.file(recording)) else { return [] }
        if recording.hasSuffix(".wav") {
            guard let mark = data.range(of: Data("data".utf8)), mark.upperBound + 4 <= data.count else { return [] }
            data.removeFirst(mark.upperBound + 4)
        }
        return data.withUnsafeBytes { bytes in
            switch kind {
            case .pulseAudio:
                (0..<bytes.count / 4).map { frame in
                    let word = bytes.loadUnaligned(fromByteOffset: frame * 4, as: (Int16, Int16).self)
                    return (Double(word.0) / 32768, Double(word.1) / 32768)
                }
            case .jack:
                (0..<bytes.count / 8).map { frame in
                    let word = bytes.loadUnaligned(fromByteOffset: frame * 8, as: (Float, Float).self)
                    return (Double(word.0), Double(word.1))
                }
            }
        }
    }
}
