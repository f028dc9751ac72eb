import ArgumentParser
import Glibc
import IPN

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure this machine: how soon a message arrives, and how many a second.",
        discussion: """
            Makes networks of its own in the temporary folder, with readers in processes of their own: each reads every byte and \
            checks a sum. Takes a few seconds; the figures mean something while the machine does nothing else.

            EXAMPLES
              ipn bench
              ipn bench --readers 8
              ipn bench --size 6M --readers 3 --seconds 2
            """)

    @Option(help: "How many readers take the messages; may be repeated. [default: 1 and 4]")
    var readers: [Int] = []
    @Option(help: "How long a message is; may be repeated. [default: 64, 4K, 64K, 1M and 8M]")
    var size: [ByteCount] = []
    @Option(help: "How long each figure is measured.")
    var seconds = Seconds(0.4)

    func validate() throws {
        if readers.contains(where: { $0 < 1 || $0 > 1000 }) { throw ValidationError("--readers must be 1 to 1000") }
        if seconds.seconds <= 0 || seconds.seconds > 600 { throw ValidationError("--seconds must be more than 0, and at most 600") }
        if size.contains(where: { $0.bytes < BenchMessage.shortest || $0.bytes > 1 << 30 }) {
            throw ValidationError("--size must be \(BenchMessage.shortest) to 1G")
        }
    }

    func run() throws {
        let counts = readers.isEmpty ? [1, 4] : readers
        let sizes = size.isEmpty ? [64, 4 << 10, 64 << 10, 1 << 20, 8 << 20] : size.map(\.bytes)
        try printLatency()
        try printThroughput(sizes: sizes, readers: counts)
        print("\n\(machine())")
    }

    private func printLatency() throws {
        try line("One way, 64 bytes, µs", ["p50", "p90", "p99"])
        for (name, pace) in [("to a sleeping reader", BenchRun.Pace.sleeping), ("to a spinning reader", .spinning)] {
            let run = BenchRun(size: 64, readers: 1, pace: pace, nanoseconds: seconds.nanoseconds)
            let delays = try run.measure()[0].delays.sorted()
            try line("  \(name)", [0.5, 0.9, 0.99].map { (Double(delays[Int(Double(delays.count - 1) * $0)]) / 1000).short })
        }
        print("")
    }

    private func printThroughput(sizes: [Int], readers: [Int]) throws {
        try line("Messages a second", readers.map { $0 == 1 ? "1 reader" : "\($0) readers" })
        var bytes: [(String, [String])] = []
        for size in sizes {
            let rates = try readers.map { count in
                let found = try BenchRun(size: size, readers: count, pace: .flood, nanoseconds: seconds.nanoseconds).measure()
                // The slowest reader's.
                return found.map { Double($0.count) / $0.seconds }.min() ?? 0
            }
            try line("  \(size.inBytes)", rates.map(\.abbreviated))
            bytes.append(("  \(size.inBytes)", rates.map { ($0 * Double(size)).abbreviated }))
        }
        print("")
        try line("Bytes a second, to each reader", readers.map { $0 == 1 ? "1 reader" : "\($0) readers" })
        for (name, cells) in bytes { try line(name, cells) }
    }

    private func line(_ name: String, _ cells: [String]) throws {
        func padding(_ text: String, _ width: Int) -> String { String(repeating: " ", count: max(0, width - text.count)) }
        print(name + padding(name, 32) + cells.map { padding($0, 12) + $0 }.joined())
        try flushPrinted()
    }

    private func machine() -> String {
        var names = utsname()
        uname(&names)
        let release = withUnsafeBytes(of: &names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        let processors = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        return "\(processors) processor\(processors == 1 ? "" : "s"), Linux \(release); the writer copies each message in once."
    }
}

extension Double {
    /// With three digits that count: 12.3, 1230, 0.123.
    fileprivate var short: String {
        guard self > 0 else { return "0" }
        let scale = pow(10, max(0, 2 - log10(self).rounded(.down)))
        let rounded = (self * scale).rounded() / scale
        return scale == 1 ? "\(Int(rounded))" : "\(rounded)"
    }

    /// `10.2 M`
    fileprivate var abbreviated: String {
        for (unit, factor) in [("G", 1e9), ("M", 1e6), ("k", 1e3)] where self >= factor { return "\((self / factor).short) \(unit)" }
        return short
    }
}

extension Int {
    /// `64 B`, `4 KiB`
    fileprivate var inBytes: String {
        for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] where self >= 1 << shift && self % (1 << shift) == 0 {
            return "\(self >> shift) \(unit)"
        }
        return "\(self) B"
    }
}
