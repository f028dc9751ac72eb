import Foundation
import Glibc
import IPN
import SystemPackage

/// Messages of one kind from this process to readers in processes of their own.
struct BenchRun {
    enum Pace: String {
        /// A message now and then, to readers that sleep meanwhile.
        case sleeping
        /// A message now and then, to readers that look all the time.
        case spinning
        /// As many as go, none lost.
        case flood

        /// Nanoseconds between two messages.
        var pause: UInt64 {
            switch self {
            case .sleeping: 2_000_000
            case .spinning: 50_000
            case .flood: 0
            }
        }
    }

    /// Bytes of a message.
    let size: Int
    let readers: Int
    let pace: Pace
    let nanoseconds: Int64

    /// - Returns: what each reader found.
    func measure() throws -> [BenchFinding] {
        let root = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        let node = Node()
        var options = NetworkOptions()
        options.mtu = size
        options.nodeLimit = readers + 1
        options.isLossless = pace == .flood
        // What is on the way should stay in the cache.
        options.poolSize = max(4, min(1024, (4 << 20) / size))
        options.mode = .ownerReadWriteExecute
        try node.bind("\(root)/ipn-bench.\(getpid())", options: options)
        defer { node.close() }
        try node.connect(directions: .send)
        let processes = try (0..<readers).map { _ in try Reader(of: node.path ?? "", size: size, pace: pace) }
        try node.waitForReaders(readers)
        let sent = try send(on: node)
        return try processes.map { try $0.finding(sent: sent) }
    }

    /// - Returns: how many.
    private func send(on node: Node) throws -> UInt64 {
        let message = BenchMessage(size: size)
        // Memory is paid for, and everybody awake, before the first that counts.
        for _ in 0..<node.options.poolSize { try message.send(on: node, tag: BenchMessage.warmUp) }
        let start = BenchMessage.now()
        var sequence: UInt64 = 0
        while BenchMessage.now() < start + UInt64(nanoseconds) {
            switch pace {
            case .sleeping: usleep(UInt32(pace.pause / 1000))
            case .spinning:
                let next = BenchMessage.now() + pace.pause
                while BenchMessage.now() < next {}
            case .flood: break
            }
            // The clock takes longer than a short message.
            for _ in 0..<(pace == .flood && size < 4096 ? 64 : 1) {
                try message.send(on: node, tag: sequence)
                sequence += 1
            }
        }
        try message.send(on: node, tag: BenchMessage.end)
        return sequence
    }

    /// A reader's process. See `BenchReaderCommand`.
    private struct Reader {
        let process = Process()
        let output = Pipe()

        init(of path: String, size: Int, pace: Pace) throws {
            process.executableURL = URL(fileURLWithPath: "/proc/self/exe")
            process.arguments = ["bench-reader", path, "--size", "\(size)", "--pace", pace.rawValue]
            process.standardOutput = output
            try process.run()
        }

        func finding(sent: UInt64) throws -> BenchFinding {
            let data = try output.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            guard process.terminationStatus == 0, let finding = BenchFinding(line: String(decoding: data, as: UTF8.self)) else {
                throw Failure("a reader of the bench ended early, with status \(process.terminationStatus)")
            }
            guard finding.wrong == 0 else { throw Failure("\(finding.wrong) messages came wrong") }
            guard finding.count == sent else { throw Failure("\(sent - finding.count) of \(sent) messages did not come") }
            return finding
        }
    }
}
