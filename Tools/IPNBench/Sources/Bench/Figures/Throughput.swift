/// How many messages a second, none lost.
extension Figures {
    func flood() throws {
        for (size, name, goal) in [(64, "64 B", "≥ 10 M"), (2048, "2 KiB", "≥ 5 M")] {
            let runs = try interleaved([.ring, .ipn, .stream, .zeromq]) { carrier in
                var task = Task(workload: .flood, carriers: [carrier], size: size, path: path)
                task.milliseconds = isQuick ? 200 : 500
                let reader = try Figures.check(Run.outcomes(task))[0]
                return reader["received"] / reader["seconds"]
            }
            print(
                Row(
                    figure: "Messages/s, \(name) copied in, first and last word checked", ours: rate(runs[.ipn]?.median),
                    bare: "ring \(rate(runs[.ring]?.median))", stream: rate(runs[.stream]?.median),
                    zeroMQ: rate(runs[.zeromq]?.median), goal: goal
                ).line)
        }
    }

    func frames() throws {
        let size = 8_000_000
        for readers in [1, 4, 8] {
            var cost: [Carrier: [Double]] = [:]
            let runs = try interleaved([.ipn, .stream, .zeromq]) { carrier in
                var task = Task(workload: .frames, carriers: [carrier], size: size, path: path)
                task.milliseconds = isQuick ? 300 : 700
                task.readers = readers
                let outcomes = try Figures.check(Run.outcomes(task))
                let delivered = outcomes.reduce(0) { $0 + $1["received"] } * Double(size) / 1e9
                cost[carrier, default: []].append(outcomes.reduce(0) { $0 + $1["cpu"] } / delivered)
                return outcomes.dropLast().map { $0["received"] / $0["seconds"] }.min() ?? 0
            }
            func cell(_ carrier: Carrier) -> String {
                "\(rate(runs[carrier]?.median)), \(cost[carrier, default: [0]].median.short) s"
            }
            print(
                Row(
                    figure: "8 MB frames/s to each of \(readers) sleeping, every byte read; CPU s per GB delivered",
                    ours: cell(.ipn), stream: cell(.stream), zeroMQ: cell(.zeromq)
                ).line)
        }
    }

    /// Runs each carrier in turn, and that several times.
    private func interleaved(_ carriers: [Carrier], _ run: (Carrier) throws -> Double) throws -> [Carrier: [Double]] {
        var results: [Carrier: [Double]] = [:]
        for _ in 0..<repeats {
            for carrier in carriers { results[carrier, default: []].append(try run(carrier)) }
        }
        return results
    }
}
