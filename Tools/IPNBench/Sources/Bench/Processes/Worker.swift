import CBench
import Glibc

/// A process of this same program with a task. Killed with this object, if it still runs.
final class Worker {
    let process: pid_t
    private let output: Handle
    private var hasEnded = false

    /// - Parameter descriptors: what the process finds as 3, 4, ...
    init(_ arguments: [String], descriptors: [Handle]) throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw Failure(calling: "pipe", errno) }
        // Room for all that it says: it is read when it has ended.
        bench_widen_pipe(ends[1])
        output = try Handle(owning: ends[0], "pipe")
        let theirs = try Handle(owning: ends[1], "pipe")
        process = try spawn("/proc/self/exe", ["Bench", "work"] + arguments, output: theirs, descriptors: descriptors)
    }

    deinit {
        kill()
        reap()
    }

    /// Kills it, without waiting for its end.
    func kill() {
        if !hasEnded { _ = Glibc.kill(process, SIGKILL) }
    }

    /// Waits until the kernel has torn it down.
    func reap() {
        if !hasEnded { waitpid(process, nil, 0) }
        hasEnded = true
    }

    /// - Throws: what it says, where it has ended.
    func checkIsRunning() throws {
        guard bench_has_ended(process) else { return }
        _ = try outcome()
        throw Failure("a worker ended early")
    }

    /// Waits for its end.
    func outcome() throws -> Outcome {
        let (text, status) = readToTheEnd(output, of: process)
        hasEnded = true
        let outcome = Outcome(line: text[...])
        if status != 0 && !outcome.text.isEmpty { throw Failure(outcome.text) }
        if status == SIGALRM { throw Failure("not done in time") }
        guard status == 0 else { throw Failure("a worker failed with status \(status)") }
        return outcome
    }
}

/// Reads all that a process says, and waits for its end. - Returns: its words and its status, as wait(2) has it.
func readToTheEnd(_ output: Handle, of process: pid_t) -> (text: String, status: Int32) {
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while true {
        let got = read(output.raw, &chunk, chunk.count)
        if got < 0 && errno == EINTR { continue }
        guard got > 0 else { break }
        text += chunk[..<got]
    }
    var status: Int32 = 0
    waitpid(process, &status, 0)
    return (String(decoding: text, as: UTF8.self), status)
}

/// Starts a program; `descriptors` become its 3, 4, ...
func spawn(_ path: String, _ arguments: [String], output: Handle?, errors: Handle? = nil, descriptors: [Handle] = []) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let output { posix_spawn_file_actions_adddup2(&actions, output.raw, 1) }
    if let errors { posix_spawn_file_actions_adddup2(&actions, errors.raw, 2) }
    for (index, handle) in descriptors.enumerated() {
        posix_spawn_file_actions_adddup2(&actions, handle.raw, Int32(3 + index))
    }
    var pointers = arguments.map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    var process: pid_t = 0
    let status = posix_spawnp(&process, path, &actions, nil, pointers, environ)
    guard status == 0 else { throw Failure(calling: "starting \(path)", status) }
    return process
}
