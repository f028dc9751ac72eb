import ArgumentParser
import Glibc
import IPN
import IPNSystem
import SystemPackage

struct ReceiveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receive",
        abstract: "Write what others send to standard output, a line for each message.",
        discussion: """
            Ends on Ctrl-C, after --count messages, or once all senders have left. What was lost on a LOSSY network is \
            said on standard error at the end.

            EXAMPLES
              ipn receive /tmp/net > lines.txt
              ipn receive /tmp/net --raw --until-no-writers > disk.img
            """)

    @Argument(help: "The network.", completion: .file())
    var path: String
    @Option(help: "End after that many messages.")
    var count: Int?
    @Flag(help: "End once somebody has sent and nobody is left who could.")
    var untilNoWriters = false
    @Flag(help: "Write messages as they are, without a line's end behind each.")
    var raw = false
    @Flag(help: "Begin with what senders kept, on a network with history.")
    var history = false

    func validate() throws {
        if let count, count < 0 { throw ValidationError("--count must not be negative") }
    }

    func run() throws {
        let signals = try Interruption()
        let node = Node()
        try node.connect(path, directions: .receive, history: history)
        try node.setDescription("ipn receive")
        if untilNoWriters { try node.setWantsNumberOfNodes(true) }
        let descriptor = try node.fileDescriptor()
        var output = StandardOutput()
        var received = 0
        var hadWriters = false
        // Each look at an option goes through the parser's generic types: not one for each message.
        let (limit, endsWithWriters, addsLineEnd) = (count ?? .max, untilNoWriters, !raw)
        defer { sayLost(node.lostCount) }
        while received < limit {
            // Before the look: whoever left before it has left nothing that the look does not find.
            let hasWriters = node.numberOfNodes.writers > 0
            hadWriters = hadWriters || hasWriters
            if let message = try node.begin(timeout: .zero) {
                if message.numberOfNodes != nil { continue }
                hadWriters = true
                received += 1
                try output.write(message.bytes, lineEnd: addsLineEnd)
                node.end(message)
                continue
            }
            try output.flush()
            if endsWithWriters && hadWriters && !hasWriters { break }
            if try signals.wait(for: descriptor) { break }
            if let end = node.networkEnd { throw end }
        }
        try output.flush()
    }

    private func sayLost(_ lost: UInt64) {
        guard lost > 0 else { return }
        let line = Array("ipn: \(path): \(lost) messages were lost: the network is lossy and we read too slowly\n".utf8)
        _ = Glibc.write(STDERR_FILENO, line, line.count)
    }
}

/// Standard output: what is short is gathered into large writes, what is long is not copied.
private struct StandardOutput {
    private var buffer: [UInt8] = []
    private static let size = 1 << 16

    mutating func write(_ bytes: UnsafeRawBufferPointer, lineEnd: Bool) throws {
        if bytes.count >= Self.size {
            try flush()
            return try put(bytes, lineEnd: lineEnd)
        }
        buffer.append(contentsOf: bytes)
        if lineEnd { buffer.append(UInt8(ascii: "\n")) }
        if buffer.count >= Self.size { try flush() }
    }

    mutating func flush() throws {
        try buffer.withUnsafeBytes { try put($0, lineEnd: false) }
        buffer.removeAll(keepingCapacity: true)
    }

    /// In one call, as a rule, and the line's end with it.
    private func put(_ bytes: UnsafeRawBufferPointer, lineEnd: Bool) throws {
        var end = UInt8(ascii: "\n")
        try withUnsafeMutableBytes(of: &end) { end in
            var (rest, total) = (bytes, bytes.count + (lineEnd ? 1 : 0))
            while total > 0 {
                let parts = [
                    iovec(iov_base: UnsafeMutableRawPointer(mutating: rest.baseAddress), iov_len: rest.count),
                    iovec(iov_base: end.baseAddress, iov_len: total - rest.count),
                ]
                let written = writev(STDOUT_FILENO, parts, CInt(parts.count))
                if written < 0 {
                    guard errno == EINTR else { throw Failure("standard output: \(String(cString: strerror(errno)))") }
                    continue
                }
                total -= written
                rest = UnsafeRawBufferPointer(rebasing: rest[min(written, rest.count)...])
            }
        }
    }
}
