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
        let maker = Node()
        var options = NetworkOptions()
        options.nodeLimit = 64
        try maker.bind(path, options: options)
        defer {
            maker.close()
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
        let keeper = try keeperProcess(of: path)
        var states: [String] = []
        for state: UInt64 in 1...2 {
            for index in 0..<processes { board.progress(index).wait(until: state) }
            let ours = try kibibytes("Pss", of: keeper)
            let shared = try workers.reduce(0) { try $0 + kibibytes("Pss_Shmem", of: $1.process) }
            states.append("\(ours) + \(shared)")
            board.go.value = 1
        }
        board.report.value = 1
        for worker in workers { _ = try worker.outcome() }
        return states
    }
}
