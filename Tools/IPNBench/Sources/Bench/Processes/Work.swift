import CBench

/// What a worker process does: its task, then a line on standard output.
func work(_ arguments: [String]) throws {
    guard let task = Task(arguments: arguments) else { throw Failure("a worker got arguments that make no task") }
    bench_be_worker(60)
    let ends = try Ends(task)
    let outcome =
        switch (task.workload, task.side) {
        case (.idle, _): try IdleNodes(ends: ends).run()
        case (.wake, .writer), (.spin, .writer): try PingWriter(ends: ends).run(task.carriers.map { try ends.sender($0) })
        case (.wake, .reader), (.spin, .reader): try PingReader(ends: ends).run(task.carriers.map { try ends.receiver($0) })
        case (.flood, .writer), (.frames, .writer): try flood(ends, from: try ends.sender(task.carriers[0]))
        case (.flood, .reader), (.frames, .reader): try flood(ends, to: try ends.receiver(task.carriers[0]))
        }
    print(outcome.line)
}

// Each by its own type: the compiler then makes a loop for each, as a program that uses only the one would have it.

private func flood(_ ends: Ends, from sender: any Sender) throws -> Outcome {
    let writer = FloodWriter(ends: ends)
    return switch sender {
    case let sender as IPNSender: try writer.run(sender)
    case let sender as StreamSender: try writer.run(sender)
    case let sender as ZeroMQSender: try writer.run(sender)
    case let sender as RingSender: try writer.run(sender)
    default: throw Failure("no flood over this carrier")
    }
}

private func flood(_ ends: Ends, to receiver: any Receiver) throws -> Outcome {
    let reader = FloodReader(ends: ends)
    return switch receiver {
    case let receiver as IPNReceiver: try reader.run(receiver)
    case let receiver as StreamReceiver: try reader.run(receiver)
    case let receiver as ZeroMQReceiver: try reader.run(receiver)
    case let receiver as RingReceiver: try reader.run(receiver)
    default: throw Failure("no flood over this carrier")
    }
}
