import CBench
import Glibc

/// A process that a peer needs beside its own. Ended with this object.
final class Daemon {
    let process: pid_t

    /// - Returns: nil where the peer needs none.
    init?(of name: String, _ task: Task) throws {
        let peer = try LoadedPeer(name)
        guard let describe = peer.table.pointee.daemon else { return nil }
        var pointers = [UnsafePointer<CChar>?](repeating: nil, count: 16)
        guard peer.withSetting(task, { describe($0, &pointers) }) == 0 else { throw peer.failure }
        let arguments = pointers.compactMap { $0.map { String(cString: $0) } }
        let null = try Handle(owning: open("/dev/null", O_WRONLY | O_CLOEXEC), "/dev/null")
        process = try spawn(arguments[0], arguments, output: null, errors: null)
    }

    deinit {
        kill(process, SIGTERM)
        waitpid(process, nil, 0)
    }

    func processorSeconds() throws -> Double { try Bench.processorSeconds(of: process) }
}

/// User and system, from fields 14 and 15 of /proc/PID/stat. See proc(5).
func processorSeconds(of process: pid_t) throws -> Double {
    // The second field is a name in parentheses, which may hold blanks.
    let fields = try readText("/proc/\(process)/stat").split(separator: ")").last?.split(separator: " ") ?? []
    guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
    return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
}

/// The keeper of a network: the process that was given its path.
func keeperProcess(of path: String) throws -> pid_t {
    guard let directory = opendir("/proc") else { throw Failure(calling: "/proc", errno) }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        guard let process = pid_t(name), let command = try? readText("/proc/\(name)/cmdline") else { continue }
        let arguments = command.split(separator: "\0")
        if arguments.count > 1 && arguments[0].hasSuffix("ipnd") && arguments[1] == path { return process }
    }
    throw Failure("no keeper of \(path) among the processes")
}

/// A line of /proc/PID/smaps_rollup. See proc(5).
func kibibytes(_ name: String, of process: pid_t) throws -> Int {
    let lines = try readText("/proc/\(process)/smaps_rollup").split(separator: "\n")
    let line = lines.first { $0.hasPrefix("\(name):") }
    return line.flatMap { Int($0.split(separator: " ")[1]) } ?? 0
}
