import Glibc

/// Measures everybody in every cell, in turn, and that several times: whatever else the machine does meets all alike.
struct Comparison {
    /// For sockets and networks; everything in it is the bench's.
    let directory: String
    let isQuick: Bool
    /// Names of contenders to measure; empty for all.
    let only: [String]

    private var repeats: Int { isQuick ? 1 : 3 }

    func run() throws -> Results {
        let machine = try Machine()
        let (present, absent) = Contender.all()
        var results = Results(contenders: present.filter { only.isEmpty || only.contains($0.name) }, absent: absent)
        for one in results.contenders { say("\(one.name) \(one.release): \(one.settings)") }
        for one in absent { say("\(one.name): not measured: \(one.reason)") }

        for kind in Results.latencyCases {
            results.latency[kind] = inTurn(kind.name, results.contenders, by: \.p50) { try delay($0, kind) }
        }
        for size in Results.sizes {
            for readers in Results.readers {
                let kind = RateCase(size: size, readers: readers)
                results.rates[kind] = inTurn("\(bytes(size)) to \(readers)", results.contenders, by: \.messages) { try rate($0, kind) }
            }
        }
        results.joins = inTurn("joins", results.contenders, by: \.p50) { try joins($0) }
        for readers in Results.memoryReaders {
            results.memory[readers] = inTurn("memory with \(readers)", results.contenders, by: { Double($0) }) { try weight($0, readers) }
        }
        results.machine = try machine.line()
        return results
    }

    /// The run with the median figure speaks for all of a contender's; one that failed for itself.
    private func inTurn<Value>(
        _ what: String, _ contenders: [Contender], by figure: (Value) -> Double, _ measure: (Contender) throws -> Value
    ) -> [String: Cell<Value>] {
        var runs: [String: [Value]] = [:]
        var failures: [String: String] = [:]
        for _ in 0..<repeats {
            for contender in contenders where failures[contender.name] == nil {
                do { runs[contender.name, default: []].append(try measure(contender)) } catch { failures[contender.name] = "\(error)" }
            }
        }
        var cells: [String: Cell<Value>] = [:]
        for contender in contenders {
            if let failure = failures[contender.name] {
                cells[contender.name] = Cell.missing(failure)
            } else if let values = runs[contender.name]?.sorted(by: { figure($0) < figure($1) }) {
                cells[contender.name] = .value(values[values.count / 2])
            }
        }
        say(
            "\(what): "
                + contenders.map { contender in
                    switch cells[contender.name] {
                    case .value(let value): "\(contender.name) \(figure(value).short)"
                    case .missing(let reason): "\(contender.name) – (\(reason))"
                    case nil: contender.name
                    }
                }.joined(separator: ", "))
        return cells
    }

    // MARK: One run of one contender

    private func task(_ workload: Task.Workload, _ contender: Contender, size: Int, readers: Int) throws -> Task {
        guard let size = contender.size(for: size) else { throw Failure("at most \(contender.longest) bytes") }
        var task = Task(workload: workload, carriers: [contender.carrier], size: size, path: try freshPath())
        task.readers = readers
        task.deadline = 25
        return task
    }

    private func delay(_ contender: Contender, _ kind: LatencyCase) throws -> Delay {
        if kind.spins && !contender.spins { throw Failure("its readers cannot poll") }
        var task = try task(kind.spins ? .spin : .wake, contender, size: kind.size, readers: kind.readers)
        task.messages = kind.spins ? (isQuick ? 2000 : 8000) : (isQuick ? 100 : 400)
        let outcomes = try Figures.check(Run.outcomes(task))
        return Delay(outcomes.dropLast().flatMap { $0.samples[contender.carrier, default: []] })
    }

    private func rate(_ contender: Contender, _ kind: RateCase) throws -> Rate {
        var task = try task(.frames, contender, size: kind.size, readers: kind.readers)
        task.milliseconds = isQuick ? 150 : 500
        let (outcomes, daemonSeconds) = try Run.outcomesWithDaemon(task)
        let readers = try Figures.check(outcomes).dropLast()
        let gigabytes = readers.map { $0["received"] * Double(task.size) / 1e9 }
        let ownSeconds = readers.reduce(0) { $0 + $1["cpu"] }
        let allSeconds = ownSeconds + (outcomes.last?["cpu"] ?? 0) + daemonSeconds
        let delivered = gigabytes.reduce(0, +)
        return Rate(
            messages: readers.map { $0["received"] / $0["seconds"] }.min() ?? 0,
            readerSeconds: ownSeconds / delivered, allSeconds: allSeconds / delivered)
    }

    private func joins(_ contender: Contender) throws -> Delay {
        let count = isQuick ? 3 : 10
        let task = try task(.join, contender, size: 64, readers: 0)
        return Delay(try Run.joins(task, count: count).flatMap { $0.samples[contender.carrier, default: []] })
    }

    private func weight(_ contender: Contender, _ readers: Int) throws -> Int {
        var task = try task(.frames, contender, size: 4096, readers: readers)
        task.messages = 2000
        return try Run.weight(task)
    }

    /// A path in a folder of its own: no run finds what another left.
    private func freshPath() throws -> String {
        var template = Array("\(directory)/XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(calling: directory, errno) }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self) + "/net"
    }

    /// On standard error: how far it is.
    private func say(_ text: String) {
        let line = text + "\n"
        write(2, line, line.utf8.count)
    }
}
