import ArgumentParser
import Glibc
import IPN
import IPNSystem

/// A message of the bench: the time when it was sent, then a pattern that adds up.
struct BenchMessage {
    private let pattern: [UInt64]
    /// What the words add up to, less the time.
    private let patternSum: UInt64
    private let size: Int

    static let shortest = 16
    // Tags; all others are sequence numbers.
    static let warmUp = UInt64.max - 1
    static let end = UInt64.max

    /// - Parameter size: bytes, at least `shortest`; those behind the last whole word are left as they are.
    init(size: Int) {
        self.size = size
        pattern = [0] + (1..<UInt64(size / 8)).map { $0 &* 0x9E37_79B9_7F4A_7C15 }
        patternSum = pattern.reduce(0, &+)
    }

    /// CLOCK_MONOTONIC, nanoseconds.
    static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    func send(on node: Node, tag: UInt64) throws {
        try node.send(size, tag: tag) { slot in
            pattern.withUnsafeBytes { slot.copyMemory(from: $0) }
            slot.storeBytes(of: Self.now(), as: UInt64.self)
        }
    }

    /// Reads every word. - Returns: when it was sent, and whether it came whole.
    func check(_ bytes: UnsafeRawBufferPointer) -> (time: UInt64, isWhole: Bool) {
        guard bytes.count == size else { return (0, false) }
        let words = UnsafeRawBufferPointer(rebasing: bytes[..<(pattern.count * 8)]).bindMemory(to: UInt64.self)
        var sum: UInt64 = 0
        for word in words { sum &+= word }
        return (words[0], sum == patternSum &+ words[0])
    }
}

/// What a reader found, a line on its standard output.
struct BenchFinding {
    var count: UInt64 = 0
    var wrong: UInt64 = 0
    /// From the first message that counts to the last.
    var seconds = 0.0
    /// Nanoseconds on the way, where they were taken.
    var delays: [UInt64] = []

    init() {}

    init?(line: String) {
        let fields = line.split(whereSeparator: \.isWhitespace)
        guard fields.count >= 3, let count = UInt64(fields[0]), let wrong = UInt64(fields[1]), let seconds = Double(fields[2])
        else { return nil }
        self.count = count
        self.wrong = wrong
        self.seconds = seconds
        delays = fields.dropFirst(3).compactMap { UInt64($0) }
    }

    var line: String { (["\(count)", "\(wrong)", "\(seconds)"] + delays.map(String.init)).joined(separator: " ") }
}

/// The other end of `ipn bench`; nobody types it.
struct BenchReaderCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "bench-reader", shouldDisplay: false)

    @Argument var path: String
    @Option var size: Int
    @Option var pace: BenchRun.Pace

    func run() throws {
        endWithParent()
        let expected = BenchMessage(size: size)
        let node = try Node(connecting: path, directions: .receive)
        if pace == .spinning { node.spinNanoseconds = 1_000_000_000 }
        var finding = BenchFinding()
        var start: UInt64 = 0
        var isOver = false
        while !isOver {
            guard let message = try node.begin() else { continue }
            defer { node.end(message) }
            let now = pace == .flood ? 0 : BenchMessage.now()
            switch message.tag {
            case BenchMessage.warmUp: break
            case BenchMessage.end: isOver = true
            default:
                let (time, isWhole) = expected.check(message.bytes)
                if start == 0 { start = time }
                if !isWhole || message.tag != finding.count { finding.wrong += 1 }
                finding.count += 1
                if pace != .flood { finding.delays.append(now - time) }
            }
        }
        finding.seconds = Double(BenchMessage.now() - start) / 1e9
        node.close()
        print(finding.line)
    }
}

extension BenchRun.Pace: ExpressibleByArgument {}
