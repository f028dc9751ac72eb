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

    init(_ task: Task) throws {
        self.task = task
        boardMemory = try .memory(4096)
        board = try Board(boardMemory.raw)
        if task.carriers.contains(.ipn) {
            network = Node()
            try network?.bind(task.path, options: Run.options(task))
        }
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
        case .wake, .idle: break  // as networks are by default
        case .frames: options.poolSize = 4
        // Room for what comes while a spinning reader is kept from its processor.
        case .spin, .flood: options.poolSize = 1024
        }
        return options
    }

    private func start(_ side: Task.Side, index: Int) throws {
        var task = task
        task.side = side
        task.index = index
        let handles = routes.flatMap { side == .writer ? $0.writer : $0.readers[index] }
        workers.append(try Worker(task.arguments, descriptors: [boardMemory] + handles))
    }

    /// Starts everybody. Readers come first in `workers`, the writer last.
    func start() throws {
        for index in 0..<task.readers { try start(.reader, index: index) }
        try start(.writer, index: 0)
    }

    /// - Returns: what each reader found, and the writer last.
    func finish() throws -> [Outcome] {
        try workers.map { try $0.outcome() }
    }

    /// A whole run.
    static func outcomes(_ task: Task) throws -> [Outcome] {
        let run = try Run(task)
        run.board.go.value = 1
        run.board.report.value = 1
        try run.start()
        return try run.finish()
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

/// What a carrier's processes are given beside their arguments.
struct Route {
    var writer: [Handle] = []
    var readers: [[Handle]]

    init(_ carrier: Carrier, _ task: Task) throws {
        readers = Array(repeating: [], count: task.readers)
        switch carrier {
        case .ipn, .zeromq:
            break
        case .ring:
            writer = [try .memory(RingMemory.bytes(task.size))]
            readers[0] = writer
        case .event:
            writer = [try Handle(owning: bench_event(), "eventfd"), try .memory(4096)]
            readers[0] = writer
        case .stream:
            for index in 0..<task.readers {
                var pair: [Int32] = [-1, -1]
                let room = Int32(min(max(task.size * 4, 1 << 20), 16 << 20))
                guard bench_stream_pair(&pair, room) == 0 else { throw Failure(calling: "socketpair", errno) }
                writer.append(try Handle(owning: pair[0], "socketpair"))
                readers[index] = [try Handle(owning: pair[1], "socketpair")]
            }
        }
    }

    /// How many handles of a carrier a side is given.
    static func count(_ carrier: Carrier, _ task: Task) -> Int {
        switch carrier {
        case .ipn, .zeromq: 0
        case .ring: 1
        case .event: 2
        case .stream: task.side == .writer ? task.readers : 1
        }
    }
}
