import CBench

/// Messages with pauses between them, whose time on the way is taken: on several carriers in turn, so that whatever
/// else the machine does meets all of them alike.
struct PingWriter {
    let ends: Ends

    func run(_ senders: [any Sender]) throws -> Outcome {
        let task = ends.task
        try ends.warmUp(senders)
        var next = bench_now()
        for sequence in 0..<UInt64(task.messages) {
            next += pause
            wait(until: next)
            let time = bench_now()
            try senders[Int(sequence) % senders.count].send(task.size) { slot in
                slot.storeBytes(of: Header(sequence: sequence, time: time), as: Header.self)
            }
        }
        ends.board.finished.wait(until: UInt64(task.readers))
        return Outcome()
    }

    /// Nanoseconds.
    private var pause: UInt64 { ends.task.workload == .wake ? 5_000_000 : 50_000 }

    private func wait(until time: UInt64) {
        if ends.task.workload == .wake {
            bench_sleep_until(time)
        } else {
            while bench_now() < time { bench_pause() }
        }
    }
}

struct PingReader {
    let ends: Ends

    func run(_ receivers: [any Receiver]) throws -> Outcome {
        let task = ends.task
        var samples = Array(repeating: [UInt64](), count: receivers.count)
        for index in samples.indices { samples[index].reserveCapacity(task.messages) }
        var wrong = 0
        try ends.awaitWarmUp(receivers)
        for sequence in 0..<UInt64(task.messages) {
            let index = Int(sequence) % receivers.count
            var header = Header(sequence: Header.warmUp, time: 0)
            var now: UInt64 = 0
            while header.sequence == Header.warmUp {
                try receivers[index].receive { bytes in
                    now = bench_now()
                    header = bytes.load(as: Header.self)
                    return false
                }
            }
            if header.sequence != sequence { wrong += 1 }
            samples[index].append(now - header.time)
        }
        ends.board.finished.increment()
        var outcome = Outcome()
        for (index, carrier) in task.carriers.enumerated() { outcome.samples[carrier] = samples[index] }
        outcome.values["wrong"] = Double(wrong)
        return outcome
    }
}
