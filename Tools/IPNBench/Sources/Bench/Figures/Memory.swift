import CBench
import Glibc
import IPN

/// What a network costs that nobody uses: the keeper, and the memory that is shared.
extension Figures {
    func memory() throws {
        let many = try measure(processes: 32, nodes: 1)
        let one = try measure(processes: 1, nodes: 32)
        for (state, index) in [("before any message", 0), ("each has sent one", 1)] {
            print(
                Row(
                    figure: "Memory of 32 nodes, \(state), KiB: keeper + shared of all",
                    ours: "\(many[index]) in 32 processes; \(one[index]) in one"
                ).line)
        }
    }

    private func measure(processes: Int, nodes: Int) throws -> [String] {
        let keeper = Node()
        var options = NetworkOptions()
        options.nodeLimit = 64
        try keeper.bind(path, options: options)
        defer {
            keeper.close()
            _ = unlink(path)
        }
        let boardMemory = try Handle.memory(4096)
        let board = try Board(boardMemory.raw)
        var task = Task(workload: .idle, carriers: [], size: 64, path: path)
        task.messages = nodes
        let workers = try (0..<processes).map { index in
            task.index = index
            return try Worker(task.arguments, descriptors: [boardMemory])
        }
        let keeperProcess = try keeperProcess()
        var states: [String] = []
        for state: UInt64 in 1...2 {
            for index in 0..<processes { board.progress(index).wait(until: state) }
            let ours = try kibibytes("Pss", of: keeperProcess)
            let shared = try workers.reduce(0) { try $0 + kibibytes("Pss_Shmem", of: $1.process) }
            states.append("\(ours) + \(shared)")
            board.go.value = 1
        }
        board.report.value = 1
        for worker in workers { _ = try worker.outcome() }
        return states
    }

    /// The process that was given our network's path.
    private func keeperProcess() throws -> pid_t {
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
    private func kibibytes(_ name: String, of process: pid_t) throws -> Int {
        let lines = try readText("/proc/\(process)/smaps_rollup").split(separator: "\n")
        let line = lines.first { $0.hasPrefix("\(name):") }
        return line.flatMap { Int($0.split(separator: " ")[1]) } ?? 0
    }
}
