import CBench
import Glibc

/// A command of `ipn`, whose progress records are kept. Ended with this object, if it still runs.
final class ToolProcess {
    let process: pid_t
    private let records: Handle
    private var hasEnded = false

    /// Where the tool is: the one that Tools/bench has built.
    private static func tool() throws -> String {
        guard let path = getenv("IPN_TOOL") else { throw Failure("IPN_TOOL does not say where ipn is: run Tools/bench") }
        return String(cString: path)
    }

    init(_ arguments: String...) throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw Failure(calling: "pipe", errno) }
        bench_widen_pipe(ends[1])
        records = try Handle(owning: ends[0], "pipe")
        let theirs = try Handle(owning: ends[1], "pipe")
        process = try spawn(try Self.tool(), ["ipn"] + arguments + ["--progress-descriptor", "1"], output: theirs)
    }

    deinit {
        guard !hasEnded else { return }
        kill(process, SIGTERM)
        waitpid(process, nil, 0)
    }

    /// Waits for its end. - Returns: the numbers of its last record (see Service/Progress.swift).
    func last() throws -> [Int64] {
        let (text, status) = readToTheEnd(records, of: process)
        hasEnded = true
        guard status == 0 else { throw Failure("ipn failed with status \(status)") }
        let line = text.split(separator: "\n").last { $0.hasPrefix("progress ") }
        guard let line else { throw Failure("ipn reported nothing") }
        return line.split(separator: " ").dropFirst().map { Int64($0) ?? 0 }
    }
}
