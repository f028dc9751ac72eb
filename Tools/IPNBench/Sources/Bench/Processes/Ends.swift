import CBench

/// What a worker process was given, and its end of each carrier.
struct Ends {
    let task: Task
    let board: Board
    private let descriptors: [Carrier: [Int32]]

    init(_ task: Task) throws {
        self.task = task
        board = try Board(3)
        var next: Int32 = 4
        var descriptors: [Carrier: [Int32]] = [:]
        for carrier in task.carriers {
            let count = Int32(Route.count(carrier, task))
            descriptors[carrier] = Array(next..<next + count)
            next += count
        }
        self.descriptors = descriptors
    }

    func sender(_ carrier: Carrier) throws -> any Sender {
        let given = descriptors[carrier, default: []]
        return switch carrier {
        case .ipn: try IPNSender(task.path)
        case .stream: StreamSender(given, size: task.size)
        case .ring: try RingSender(given[0], size: task.size)
        case .event: try EventSender(given[0], page: given[1])
        case .peer(let name): try PeerSender(name, task, board)
        }
    }

    func receiver(_ carrier: Carrier) throws -> any Receiver {
        let given = descriptors[carrier, default: []]
        return switch carrier {
        case .ipn: try IPNReceiver(task.path, spins: task.spins)
        case .stream: StreamReceiver(given[0], size: task.size)
        case .ring: try RingReceiver(given[0], size: task.size)
        case .event: try EventReceiver(given[0], page: given[1])
        case .peer(let name): try PeerReceiver(name, task, board)
        }
    }

    // MARK: The start of every run

    /// Sends until every reader has heard of every carrier: a message that comes too early is lost with some.
    func warmUp(_ senders: [any Sender]) throws {
        for reader in 0..<task.readers { board.progress(reader).wait(until: 1) }
        for (index, sender) in senders.enumerated() {
            repeat {
                try sender.send(task.size) { $0.storeBytes(of: Header(sequence: Header.warmUp, time: 0), as: Header.self) }
                bench_sleep_until(bench_now() + 3_000_000)
            } while (0..<task.readers).contains { board.progress($0).value < UInt64(index + 2) }
        }
        bench_sleep_until(bench_now() + 60_000_000)
        for case let sender as PeerSender in senders { sender.beginCredits() }
    }

    func awaitWarmUp(_ receivers: [any Receiver]) throws {
        let progress = board.progress(task.index)
        progress.value = 1
        for receiver in receivers {
            try receiver.receive { _ in false }
            progress.increment()
        }
    }
}
