import CBench
import Glibc

/// What a worker process does: its task, then a line on standard output, also of what went wrong.
func work(_ arguments: [String]) throws {
    guard let task = Task(arguments: arguments) else { throw Failure("a worker got arguments that make no task") }
    bench_be_worker(UInt32(task.deadline))
    let output = bench_claim_output()
    var outcome = Outcome()
    var status: Int32 = 0
    do {
        outcome = try perform(task)
    } catch {
        outcome.text = "\(error)"
        status = 1
    }
    let line = outcome.line
    write(output, line, line.utf8.count)
    // Without a word to libraries that would wait for their threads, or for who has gone.
    _exit(status)
}

private func perform(_ task: Task) throws -> Outcome {
    let ends = try Ends(task)
    if task.isWeighed {
        ends.board.progress(task.slot).value = 1
        ends.board.open.wait(until: 1)
        ends.board.progress(task.slot).value = 0
    }
    return switch (task.workload, task.side) {
    case (.idle, _): try IdleNodes(ends: ends).run()
    case (.die, _): try Doomed(ends: ends).run()
    case (.wake, .writer), (.spin, .writer): try PingWriter(ends: ends).run(task.carriers.map { try ends.sender($0) })
    case (.wake, .reader), (.spin, .reader): try PingReader(ends: ends).run(task.carriers.map { try ends.receiver($0) })
    case (.flood, .writer), (.frames, .writer): try flood(ends, from: try ends.sender(task.carriers[0]))
    case (.flood, .reader), (.frames, .reader): try flood(ends, to: try ends.receiver(task.carriers[0]))
    case (.join, .writer): try JoinWriter(ends: ends).run()
    case (.join, .reader): try JoinReader(ends: ends).run()
    }
}

// Each by its own type: the compiler then makes a loop for each, as a program that uses only the one would have it.

private func flood(_ ends: Ends, from sender: any Sender) throws -> Outcome {
    let writer = FloodWriter(ends: ends)
    return switch sender {
    case let sender as IPNSender: try writer.run(sender)
    case let sender as StreamSender: try writer.run(sender)
    case let sender as RingSender: try writer.run(sender)
    case let sender as PeerSender: try writer.run(sender)
    default: throw Failure("no flood over this carrier")
    }
}

private func flood(_ ends: Ends, to receiver: any Receiver) throws -> Outcome {
    let reader = FloodReader(ends: ends)
    return switch receiver {
    case let receiver as IPNReceiver: try reader.run(receiver)
    case let receiver as StreamReceiver: try reader.run(receiver)
    case let receiver as RingReceiver: try reader.run(receiver)
    case let receiver as PeerReceiver: try reader.run(receiver)
    default: throw Failure("no flood over this carrier")
    }
}
