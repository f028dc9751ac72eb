import CBench
import Glibc
import IPN

/// How soon others are told that a node is dead. The bare column is what the kernel takes to tear down a process with as much
/// memory, until waitpid(2) returns.
extension Figures {
    static let deathMessage = 16 << 20

    func deaths() throws {
        for (name, messages, rounds) in [("no messages", 0, 200), ("64 MiB", 4, 100), ("1 GiB", 64, 30)] {
            let rounds = isQuick ? rounds / 10 : rounds
            let news = try (0..<rounds).map { _ in try newsOfDeath(keeping: messages) }
            let bare = try (0..<rounds).map { _ in try plainDeath(holding: messages) }
            print(
                Row(
                    figure: "From SIGKILL of a writer that keeps \(name) to the news at another, µs p50 / p99", ours: microseconds(news),
                    bare: "waitpid \(microseconds(bare))", goal: messages == 0 ? "p50 ≤ 2000" : ""
                ).line)
        }
    }

    private func newsOfDeath(keeping messages: Int) throws -> UInt64 {
        let observer = Node()
        var options = NetworkOptions()
        options.mtu = Self.deathMessage
        options.history = messages
        try observer.bind(path, options: options)
        defer {
            observer.close()
            _ = unlink(path)
        }
        try observer.setWantsNumberOfNodes(true)
        try observer.connect(directions: [])
        let worker = try doomed([.ipn], messages)
        try awaitWriters(1, observer)
        let start = bench_now()
        worker.kill()
        try awaitWriters(0, observer)
        return bench_now() - start
    }

    private func awaitWriters(_ count: Int, _ observer: Node) throws {
        while try observer.receive()?.numberOfNodes?.writers != count {}
    }

    private func plainDeath(holding messages: Int) throws -> UInt64 {
        let worker = try doomed([], messages)
        let start = bench_now()
        worker.kill()
        worker.reap()
        return bench_now() - start
    }

    /// A process that holds its memory, and waits for its end.
    private func doomed(_ carriers: [Carrier], _ messages: Int) throws -> Worker {
        let boardMemory = try Handle.memory(4096)
        let board = try Board(boardMemory.raw)
        var task = Task(workload: .die, carriers: carriers, size: Self.deathMessage, path: path)
        task.messages = messages
        let worker = try Worker(task.arguments, descriptors: [boardMemory])
        while board.progress(0).value == 0 {
            try worker.checkIsRunning()
            usleep(1000)
        }
        return worker
    }
}

/// Sends so many messages that its network keeps, or holds as much memory of its own, until it is killed.
struct Doomed {
    let ends: Ends

    func run() throws -> Outcome {
        let task = ends.task
        let node = Node()
        if task.carriers.isEmpty {
            let bytes = max(task.messages * task.size, 4096)
            let memory = try Handle.memory(bytes)
            guard let base = withExtendedLifetime(memory, { bench_map(memory.raw, bytes) }) else { throw Failure(calling: "mmap", errno) }
            memset(base, 1, bytes)
        } else {
            try node.connect(task.path, directions: .send)
            for _ in 0..<task.messages { try node.send(task.size) { memset($0.baseAddress!, 1, $0.count) } }
        }
        ends.board.progress(task.index).value = 1
        return withExtendedLifetime(node) { while true { pause() } }
    }
}
