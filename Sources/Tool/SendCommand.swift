import ArgumentParser
import Glibc
import IPN
import IPNSystem
import SystemPackage

struct SendCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Send standard input: a message for each line, or for each block.",
        discussion: """
            EXAMPLES
              ipn send /tmp/net < lines.txt
              echo hello | ipn send /tmp/net --wait-readers 1
              ipn send /tmp/net --block 64K < disk.img
            """)

    @Argument(help: "The network.", completion: .file())
    var path: String
    @Option(help: "Send blocks of that many bytes, not lines.")
    var block: ByteCount?
    @Option(help: "Begin once that many others receive.")
    var waitReaders = 0

    func validate() throws {
        if let block, block.bytes < 1 { throw ValidationError("--block must be at least 1") }
    }

    func run() throws {
        let node = Node()
        if waitReaders > 0 {
            try node.connect(path, directions: .send)
            try node.waitForReaders(waitReaders)
        } else {
            try node.connect(path, directions: .send)
        }
        guard node.directions.contains(.send) else {
            throw IPNError(.permissionDenied, path, "no right to send", remedy: "ask its owner for w (chmod)")
        }
        try node.setDescription("ipn send")
        if let block { try sendBlocks(of: block.bytes, to: node) } else { try sendLines(to: node) }
    }

    private func sendBlocks(of size: Int, to node: Node) throws {
        var input = StandardInput()
        var pending: [UInt8] = []
        // What is wanted may be more than there is, and an array cannot say so.
        do throws(Errno) {
            try requireMemory(size + StandardInput.size)
        } catch {
            throw IPNError(error, path, "no memory for blocks of \(size) bytes", remedy: "free some, or send smaller ones")
        }
        pending.reserveCapacity(size + StandardInput.size)
        while let chunk = try input.read() {
            try checkNetwork(of: node)
            pending += chunk
            var start = 0
            while pending.count - start >= size {
                try pending.withUnsafeBytes { try node.send(UnsafeRawBufferPointer(rebasing: $0[start..<start + size])) }
                start += size
            }
            pending.removeFirst(start)
        }
        if !pending.isEmpty { try node.send(pending) }
    }

    /// What is sent to a network that has let us go reaches nobody.
    private func checkNetwork(of node: Node) throws {
        if let end = node.networkEnd { throw end }
    }

    private func sendLines(to node: Node) throws {
        var input = StandardInput()
        var pending: [UInt8] = []
        while let chunk = try input.read() {
            try checkNetwork(of: node)
            var start = chunk.startIndex
            while let end = chunk[start...].firstIndex(of: UInt8(ascii: "\n")) {
                pending += chunk[start..<end]
                try node.send(pending)
                pending.removeAll(keepingCapacity: true)
                start = end + 1
            }
            pending += chunk[start...]
        }
        if !pending.isEmpty { try node.send(pending) }
    }
}

/// Standard input in pieces.
private struct StandardInput {
    static let size = 1 << 16
    private var buffer = [UInt8](repeating: 0, count: size)

    /// The next piece, or nil at the end.
    mutating func read() throws -> ArraySlice<UInt8>? {
        while true {
            let count = Glibc.read(STDIN_FILENO, &buffer, buffer.count)
            if count > 0 { return buffer[..<count] }
            if count == 0 { return nil }
            guard errno == EINTR else { throw Failure("standard input: \(String(cString: strerror(errno)))") }
        }
    }
}
