import CBench
import Glibc

/// As many messages as go, none lost: a writer that copies each in, and readers that check each.
///
/// `.flood` readers check the first and the last word, `.frames` readers add all words up.
struct FloodWriter {
    let ends: Ends

    func run(_ sender: some Sender) throws -> Outcome {
        let task = ends.task
        let board = ends.board
        let source = floodSource(task.size)
        try ends.warmUp([sender])
        if task.workload == .frames { try lead(sender, source) }
        board.go.spin(until: 1)
        let cpuBefore = bench_cpu_seconds()
        let start = bench_now()
        board.start.value = start
        let last = task.messages > 0 ? UInt64(task.messages) : UInt64.max
        let end = start + UInt64(task.milliseconds) * 1_000_000
        // The clock is looked at now and then only, for short messages take less than it does.
        let stride: UInt64 = task.size < 4096 ? 64 : 1
        var sequence: UInt64 = 0
        while sequence < last {
            if task.messages == 0 && sequence % stride == 0 && bench_now() >= end { break }
            if task.isCounted && sequence == 1000 { bench_count_allocations(1) }
            try send(sender, source, sequence, task.size)
            sequence += 1
        }
        bench_count_allocations(0)
        try send(sender, source, Header.end, task.size)
        if task.isCounted {
            board.report.spin(until: 1)
        } else {
            board.finished.wait(until: UInt64(task.readers))
            if task.isWeighed { board.report.wait(until: 1) }
        }
        var outcome = Outcome()
        outcome.values["sent"] = Double(sequence)
        outcome.values["cpu"] = bench_cpu_seconds() - cpuBefore
        outcome.values["allocations"] = Double(bench_allocations())
        return outcome
    }

    /// Has every place that the carrier cycles through written and read once: memory costs many times as much when it is
    /// used first, and some carriers pay for it when they start.
    private func lead(_ sender: some Sender, _ source: UnsafeRawPointer) throws {
        let size = ends.task.size
        for _ in 0..<max(8, min(1024, (64 << 20) / size)) { try send(sender, source, Header.warmUp, size) }
        try send(sender, source, Header.leadEnd, size)
        ends.board.led.wait(until: UInt64(ends.task.readers))
    }

    @inline(__always)
    private func send(_ sender: some Sender, _ source: UnsafeRawPointer, _ sequence: UInt64, _ size: Int) throws {
        try sender.send(size) { slot in
            slot.copyMemory(from: source, byteCount: size)
            slot.storeBytes(of: sequence, as: UInt64.self)
            slot.storeBytes(of: ~sequence, toByteOffset: size - 8, as: UInt64.self)
        }
    }
}

struct FloodReader {
    let ends: Ends

    func run(_ receiver: some Receiver) throws -> Outcome {
        let task = ends.task
        let size = task.size
        let sums = task.workload == .frames
        let source = floodSource(size)
        // The first and the last word add up to all ones, whatever the sequence.
        let sum = bench_sum(source, size) &- 1
        var expected: UInt64 = 0
        var wrong = 0
        try ends.awaitWarmUp([receiver])
        var cpuBefore = bench_cpu_seconds()
        try receiver.receive { bytes in
            let sequence = bytes.load(as: UInt64.self)
            if sequence == expected {
                let whole =
                    sums ? bench_sum(bytes, size) == sum : bytes.load(fromByteOffset: size - 8, as: UInt64.self) == ~sequence
                if !whole { wrong += 1 }
                if task.isCounted && sequence == 1000 { bench_count_allocations(1) }
                expected += 1
            } else if sequence == Header.end {
                return false
            } else if sequence == Header.leadEnd {
                ends.board.led.increment()
                cpuBefore = bench_cpu_seconds()
            } else if sequence == Header.warmUp {
                if sums { _ = bench_sum(bytes, size) }
            } else {
                wrong += 1
            }
            return true
        }
        bench_count_allocations(0)
        let end = bench_now()
        var outcome = Outcome()
        if !task.isCounted { outcome.values["cpu"] = bench_cpu_seconds() - cpuBefore }
        ends.board.finished.increment()
        ends.board.report.spin(until: 1)
        outcome.values["received"] = Double(expected)
        outcome.values["wrong"] = Double(wrong)
        outcome.values["seconds"] = Double(end - ends.board.start.value) / 1e9
        outcome.values["allocations"] = Double(bench_allocations())
        return outcome
    }
}

/// A message's bytes, with nothing in the first and the last word yet.
private func floodSource(_ size: Int) -> UnsafeMutableRawPointer {
    let source = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 4096)
    for index in 0..<size { source.storeBytes(of: UInt8(truncatingIfNeeded: index &* 131 &+ 7), toByteOffset: index, as: UInt8.self) }
    source.storeBytes(of: 0, as: UInt64.self)
    source.storeBytes(of: 0, toByteOffset: size - 8, as: UInt64.self)
    return source
}
