import Glibc

/// How often a process called the system, by the call's name.
typealias SystemCalls = [String: Int]

/// strace(1), attached to one process.
final class Tracer {
    private let process: pid_t
    private let report: String

    /// Returns once it is attached.
    init(_ traced: pid_t) throws {
        report = "/tmp/ipn-bench-trace.\(traced)"
        process = try spawn("strace", ["strace", "-f", "-q", "-c", "-o", report, "-p", "\(traced)"], output: nil)
        for _ in 0..<2000 {
            if try readText("/proc/\(traced)/status").contains("TracerPid:\t\(process)") { return }
            usleep(1000)
        }
        throw Failure("strace cannot attach to a process: it needs the right to trace (ptrace)")
    }

    /// Lets go of the process.
    func finish() throws -> SystemCalls {
        defer { unlink(report) }
        kill(process, SIGINT)
        waitpid(process, nil, 0)
        var calls: SystemCalls = [:]
        for line in try readText(report).split(separator: "\n") {
            // % time, seconds, usecs/call, calls, errors where there are any, name
            let fields = line.split(separator: " ")
            guard fields.count >= 5, Double(fields[0]) != nil, let count = Int(fields[3]), fields.last! != "total" else { continue }
            calls[String(fields.last!)] = count
        }
        return calls
    }
}

/// The whole of a file, as /proc has them: of no size that could be asked for first.
func readText(_ path: String) throws -> String {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw Failure(calling: path, errno) }
    defer { close(file) }
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while true {
        let got = read(file, &chunk, chunk.count)
        guard got > 0 else { break }
        text += chunk[..<got]
    }
    return String(decoding: text, as: UTF8.self)
}
