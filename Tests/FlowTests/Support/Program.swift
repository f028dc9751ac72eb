import Foundation
import Glibc
import Synchronization

/// A process of ours: what it says goes into files, its end is waited for by a thread.
///
/// It is the head of a process group of its own, as a command in a terminal is; what is left of the group is killed when
/// this goes.
final class Program: Sendable {
    struct End: Sendable, Equatable, CustomStringConvertible {
        /// The exit status, or nil where a signal ended it.
        let status: Int32?
        let signal: Int32?
        var description: String { status.map { "status \($0)" } ?? "signal \(signal ?? 0)" }
    }

    struct Failure: Error, CustomStringConvertible { let description: String }

    let processID: pid_t
    let line: String
    let outputFile: String
    let errorFile: String
    private let end = Mutex<End?>(nil)

    /// - Parameters:
    ///   - arguments: the first is looked for in PATH, unless it has a slash.
    ///   - environment: what differs from ours.
    init(
        _ arguments: [String], in scratch: Scratch, folder: String? = nil, environment: [String: String] = [:],
        output: String? = nil
    ) throws {
        line = arguments.map { $0.split(separator: "/").last.map(String.init) ?? $0 }.joined(separator: " ")
        let name = scratch.nextName()
        outputFile = output ?? scratch.log("\(name).out")
        errorFile = scratch.log("\(name).err")
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, outputFile, O_WRONLY | O_CREAT | O_TRUNC, 0o666)
        posix_spawn_file_actions_addopen(&actions, 2, errorFile, O_WRONLY | O_CREAT | O_TRUNC, 0o666)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))
        var variables = ProcessInfo.processInfo.environment
        for (key, value) in scratch.environment { variables[key] = value }
        for (key, value) in environment { variables[key] = value }
        var words: [UnsafeMutablePointer<CChar>?] =
            // env(1) changes the folder, which Swift's Glibc cannot ask of posix_spawn.
            (["env", "-C", folder ?? scratch.path] + arguments).map { strdup($0) } + [nil]
        var settings: [UnsafeMutablePointer<CChar>?] = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { for pointer in words + settings { free(pointer) } }
        var processID: pid_t = 0
        let error = posix_spawnp(&processID, "env", &actions, &attributes, &words, &settings)
        guard error == 0 else { throw Failure(description: "\(arguments[0]): \(String(cString: strerror(error)))") }
        self.processID = processID
        let id = processID
        Thread.detachNewThread { [weak self] in
            // It is not reaped here: its number stays its own, and its group's, as long as we are.
            var info = siginfo_t()
            while waitid(P_PID, id_t(id), &info, WEXITED | WNOWAIT) < 0 && errno == EINTR {}
            let status = info._sifields._sigchld.si_status
            let hasExited = info.si_code == 1
            self?.end.withLock { $0 = hasExited ? End(status: status, signal: nil) : End(status: nil, signal: status) }
        }
    }

    deinit {
        kill(-processID, SIGKILL)
        var status: CInt = 0
        while waitpid(processID, &status, 0) < 0 && errno == EINTR {}
    }

    var isRunning: Bool { end.withLock { $0 == nil } }
    var output: String { (try? String(contentsOfFile: outputFile, encoding: .utf8)) ?? "" }
    var complaint: String { (try? String(contentsOfFile: errorFile, encoding: .utf8)) ?? "" }

    /// Sends a signal to the process alone, or to all of its group, as Ctrl-C does.
    func send(_ signal: CInt, toGroup: Bool = false) {
        end.withLock { end in
            if end == nil { kill(toGroup ? -processID : processID, signal) }
        }
    }

    /// Stops it, and waits until the kernel has.
    func suspend() async throws {
        send(SIGSTOP)
        try await until("\(line) has stopped") { self.stat?.state == "T" }
    }

    func resume() { send(SIGCONT) }

    /// Waits for its end.
    func ended(within seconds: Double = watchdog) async throws -> End {
        do {
            try await until("\(line) has ended", within: seconds) { self.end.withLock { $0 != nil } }
        } catch {
            throw Failure(description: "\(error)\n\(whereabouts)\n\(complaint)")
        }
        return end.withLock { $0! }
    }

    /// Waits for a good end.
    /// - Throws: what it complained of, where it has failed.
    func succeeded(within seconds: Double = watchdog) async throws {
        let end = try await ended(within: seconds)
        guard end.status == 0 else { throw Failure(description: "\(line): \(end)\n\(complaint)") }
    }

    /// Those of its group that still run.
    var groupMembers: [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { id in
            guard let fields = Self.stat(of: id) else { return false }
            return fields.count > 2 && fields[2] == "\(processID)" && fields[0] != "Z"
        }
    }

    /// What each of its threads waits for in the kernel, as root sees it; see proc(5), /proc/pid/stack.
    private var whereabouts: String {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(processID)/task")) ?? []
        return tasks.map { task in
            let read = { (name: String) in (try? String(contentsOfFile: "/proc/\(self.processID)/task/\(task)/\(name)", encoding: .utf8)) ?? "" }
            return "thread \(task) \(read("comm"))in system call \(read("syscall"))\(read("stack"))"
        }.joined()
    }

    /// proc(5)'s fields from the state on.
    private static func stat(of id: pid_t) -> [Substring]? {
        guard let text = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8), let bracket = text.lastIndex(of: ")")
        else { return nil }
        return text[text.index(after: bracket)...].split(separator: " ")
    }

    /// Its state and its processor time, in clock ticks.
    var stat: (state: String, ticks: Int)? {
        guard let fields = Self.stat(of: processID), fields.count > 12, let user = Int(fields[11]), let system = Int(fields[12])
        else { return nil }
        return (String(fields[0]), user + system)
    }
}

/// Seconds after which a test gives up waiting: no test measures time.
let watchdog: Double = 90

/// Waits for a condition that tells nobody when it comes true.
func until(
    _ what: String, within seconds: Double = watchdog, _ condition: () async throws -> Bool
) async throws {
    let end = Date().addingTimeInterval(seconds)
    while !(try await condition()) {
        guard Date() < end else { throw Program.Failure(description: "still waiting after \(seconds) s: \(what)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}

/// Runs a program of the system to its end.
/// - Returns: its standard output.
@discardableResult
func tool(_ arguments: String..., in scratch: Scratch) async throws -> String { try await tool(arguments, in: scratch) }

@discardableResult
func tool(_ arguments: [String], in scratch: Scratch) async throws -> String {
    let program = try Program(arguments, in: scratch)
    try await program.succeeded()
    return program.output
}
