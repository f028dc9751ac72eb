import CBench
import Glibc
import IPN

/// One writer process and its readers, from their start to what they found out.
final class Run {
    private let task: Task
    private let boardMemory: Handle
    private let board: Board
    private var routes: [Route] = []
    private var network: Node?
    private var workers: [Worker] = []
    private var daemon: Daemon?

    init(_ task: Task) throws {
        self.task = task
        boardMemory = try .memory(4096)
        board = try Board(boardMemory.raw)
        if task.carriers.contains(.ipn) {
            network = Node()
            try network?.bind(task.path, options: Run.options(task))
        }
        for case .peer(let name) in task.carriers { daemon = try Daemon(of: name, task) }
        routes = try task.carriers.map { try Route($0, task) }
    }

    deinit {
        workers.removeAll()
        network?.close()
        _ = unlink(task.path)
    }

    /// LOSSY as networks are by default where time is measured, LOSSLESS where messages are counted.
    private static func options(_ task: Task) -> NetworkOptions {
        var options = NetworkOptions()
        options.mtu = task.size
        options.isLossless = task.workload == .flood || task.workload == .frames
        switch task.workload {
        case .wake, .idle, .join, .die: break  // as networks are by default
        // What is on the way should stay in the cache.
        case .frames: options.poolSize = max(4, min(1024, (4 << 20) / task.size))
        // Room for what comes while a spinning reader is kept from its processor.
        case .spin, .flood: options.poolSize = 1024
        }
        return options
    }

    private func start(_ side: Task.Side, index: Int) throws {
        var task = task
        task.side = side
        task.index = index
        let handles = routes.flatMap { side == .writer ? $0.writer : $0.readers.isEmpty ? [] : $0.readers[index] }
        workers.append(try Worker(task.arguments, descriptors: [boardMemory] + handles))
    }

    /// Starts everybody. Readers come first in `workers`, the writer last.
    func start() throws {
        for index in 0..<task.readers { try start(.reader, index: index) }
        try start(.writer, index: 0)
    }

    /// - Returns: what each reader found, and the writer last.
    func finish() throws -> [Outcome] {
        var outcomes: [Outcome?] = workers.map { _ in nil }
        // In the order in which they end: when one fails, the others may wait for it as long as they live.
        while outcomes.contains(where: { $0 == nil }) {
            let process = bench_ended_child()
            if let index = workers.firstIndex(where: { $0.process == process }) {
                outcomes[index] = try workers[index].outcome()
            } else if process == daemon?.process {
                throw Failure("its daemon has ended")
            } else {
                waitpid(process, nil, 0)
            }
        }
        return outcomes.compactMap { $0 }
    }

    /// A whole run.
    static func outcomes(_ task: Task) throws -> [Outcome] { try outcomesWithDaemon(task).outcomes }

    /// A whole run. - Returns: also the processor seconds that the daemon used, where there is one.
    static func outcomesWithDaemon(_ task: Task) throws -> (outcomes: [Outcome], daemonSeconds: Double) {
        let run = try Run(task)
        run.board.go.value = 1
        run.board.report.value = 1
        let before = try run.daemon?.processorSeconds() ?? 0
        try run.start()
        let outcomes = try run.finish()
        return (outcomes, try (run.daemon?.processorSeconds() ?? 0) - before)
    }

    /// Readers that come one after another while the writer sends. - Returns: what each found.
    static func joins(_ task: Task, count: Int) throws -> [Outcome] {
        try withWriter(task) { run in
            try (0..<count).map { index in
                try run.start(.reader, index: index)
                return try run.workers[index + 1].outcome()
            }
        }
    }

    /// Does something while a `join` task's writer sends.
    static func withWriter<Result>(_ task: Task, _ body: (Run) throws -> Result) throws -> Result {
        let run = try Run(task)
        try run.start(.writer, index: 0)
        try run.wait { run.board.progress(0).value == 1 }
        defer { run.board.report.value = 1 }
        return try body(run)
    }

    /// A whole run. - Returns: KiB that the carrier added to all processes, its daemon among them, once all has come.
    static func weight(_ task: Task) throws -> Int {
        var task = task
        task.isWeighed = true
        let run = try Run(task)
        try run.start()
        func weight() throws -> Int { try run.workers.reduce(0) { try $0 + kibibytes("Pss", of: $1.process) } }
        for slot in 0...task.readers { try run.wait { run.board.progress(slot).value == 1 } }
        let before = try weight()
        run.board.open.value = 1
        run.board.go.value = 1
        try run.wait { run.board.finished.value == UInt64(task.readers) }
        var added = try weight() - before
        if let daemon = run.daemon { added += try kibibytes("Pss", of: daemon.process) }
        if task.carriers == [.ipn] { added += try kibibytes("Pss", of: try keeperProcess(of: task.path)) }
        run.board.report.value = 1
        _ = try run.finish()
        return added
    }

    /// Waits, and throws what a worker says that ends meanwhile.
    private func wait(until condition: () -> Bool) throws {
        while !condition() {
            for worker in workers { try worker.checkIsRunning() }
            usleep(1000)
        }
    }

    /// A whole run, with the system calls counted between the first message and the last.
    static func traced(_ task: Task) throws -> (outcomes: [Outcome], calls: [SystemCalls]) {
        let run = try Run(task)
        try run.start()
        for reader in 0..<task.readers { run.board.progress(reader).wait(until: 2) }
        usleep(100_000)
        let tracers = try run.workers.map { try Tracer($0.process) }
        run.board.go.value = 1
        run.board.finished.wait(until: UInt64(task.readers))
        let calls = try tracers.map { try $0.finish() }
        run.board.report.value = 1
        return (try run.finish(), calls)
    }
}
