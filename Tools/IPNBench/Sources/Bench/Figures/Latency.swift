/// One-way latency: from right before a message is sent to right after it is received.
extension Figures {
    func wake() throws {
        let carriers: [Carrier] = [.event, .ipn, .stream, .zeromq]
        var task = Task(workload: .wake, carriers: carriers, size: 64, path: path)
        task.messages = carriers.count * (isQuick ? 100 : 500)
        let samples = try Figures.check(Run.outcomes(task))[0].samples
        let ours = samples[.ipn, default: []]
        let ratio = Double(ours.median) / Double(samples[.event, default: []].median)
        print(
            Row(
                figure: "One way to a sleeping reader, 64 B, µs p50 / p99", ours: "\(microseconds(ours)) (× \(ratio.short))",
                bare: "eventfd \(microseconds(samples[.event]))", stream: microseconds(samples[.stream]),
                zeroMQ: microseconds(samples[.zeromq]), goal: "p50 ≤ 1.3 × eventfd"
            ).line)
    }

    func spin() throws {
        for (size, name) in [(64, "64 B"), (4096, "4 KiB"), (65536, "64 KiB"), (1 << 20, "1 MiB"), (4 << 20, "4 MiB")] {
            var samples: [Carrier: [[UInt64]]] = [:]
            for _ in 0..<repeats {
                var task = Task(workload: .spin, carriers: [.ipn, .ring], size: size, path: path)
                task.messages = isQuick ? 2000 : 8000
                for (carrier, run) in try Figures.check(Run.outcomes(task))[0].samples { samples[carrier, default: []].append(run) }
            }
            // The run with the median p50 speaks for all.
            let typical = samples.mapValues { $0.sorted { $0.median < $1.median }[$0.count / 2] }
            print(
                Row(
                    figure: "One way to a spinning reader, \(name) in place, µs p50 / p99", ours: microseconds(typical[.ipn]),
                    bare: "ring \(microseconds(typical[.ring]))", goal: "p50 < 1"
                ).line)
        }
    }
}
