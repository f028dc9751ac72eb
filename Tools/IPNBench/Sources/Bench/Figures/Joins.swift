import CBench

/// A message every 100 microseconds, whoever is there to hear it.
struct JoinWriter {
    let ends: Ends

    func run() throws -> Outcome {
        let task = ends.task
        let sender = try ends.sender(task.carriers[0])
        ends.board.progress(task.slot).value = 1
        while ends.board.report.value == 0 {
            try sender.send(task.size) { $0.storeBytes(of: Header(sequence: 0, time: 0), as: Header.self) }
            bench_sleep_until(bench_now() + 100_000)
        }
        return Outcome()
    }
}

/// Comes, takes one message and leaves. What it costs to load libraries is not counted, which a program has at its start.
struct JoinReader {
    let ends: Ends

    func run() throws -> Outcome {
        let carrier = ends.task.carriers[0]
        if case .peer(let name) = carrier { try LoadedPeer(name).prepare() }
        let start = bench_now()
        let receiver = try ends.receiver(carrier)
        var end = start
        try receiver.receive { _ in
            end = bench_now()
            return false
        }
        (receiver as? PeerReceiver)?.close()
        var outcome = Outcome()
        outcome.samples[carrier] = [end - start]
        return outcome
    }
}
