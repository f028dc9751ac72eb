/// A cell of the comparison: a value, or why there is none.
enum Cell<Value> {
    case value(Value)
    case missing(String)

    var value: Value? {
        if case .value(let value) = self { return value }
        return nil
    }
}

/// One-way times. Nanoseconds.
struct Delay {
    let p50, p99: Double

    init(_ samples: [UInt64]) {
        p50 = Double(samples.median)
        p99 = Double(samples.percentile(0.99))
    }
}

struct Rate {
    /// Messages a second that the slowest reader got.
    let messages: Double
    /// Processor seconds for each GB: a reader's own, and those of all processes over what all readers got.
    let readerSeconds, allSeconds: Double
}

struct LatencyCase: Hashable {
    let size, readers: Int
    let spins: Bool
    var name: String { "\(bytes(size)), \(readers) \(spins ? "spinning" : "sleeping")" }
}

struct RateCase: Hashable {
    let size, readers: Int
}

/// All that one run of the comparison has found, by contender's name.
struct Results {
    let contenders: [Contender]
    let absent: [Contender.Absent]
    var machine = ""
    var latency: [LatencyCase: [String: Cell<Delay>]] = [:]
    var rates: [RateCase: [String: Cell<Rate>]] = [:]
    var joins: [String: Cell<Delay>] = [:]
    /// KiB, by how many readers.
    var memory: [Int: [String: Cell<Int>]] = [:]

    static let sizes = [64, 4 << 10, 64 << 10, 1 << 20, 8 << 20]
    static let readers = [1, 2, 4, 8, 16]
    static let latencyCases =
        [(64, 1), (64, 4), (1 << 20, 1), (1 << 20, 4)].map { LatencyCase(size: $0.0, readers: $0.1, spins: false) }
        + [64, 1 << 20].map { LatencyCase(size: $0, readers: 1, spins: true) }
    static let memoryReaders = [1, 8]
}

/// `64 B`, `4 KiB`
func bytes(_ count: Int) -> String {
    count >= 1 << 20 ? "\(count >> 20) MiB" : count >= 1 << 10 ? "\(count >> 10) KiB" : "\(count) B"
}
