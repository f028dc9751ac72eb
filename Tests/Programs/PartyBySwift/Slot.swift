import CIPN
import Glibc
import IPN
import SystemPackage

/// A node, and what it is to be made with.
final class Slot {
    private let node = Node()
    private var options = NetworkOptions()
    private var port: Int?
    private var window: Int?
    private var replays = false
    private var description = ""
    private var outOfBand = (handles: false, wants: false)
    private var timeouts: (receive: Duration?, send: Duration?) = (nil, nil)
    private var toldLost: UInt64 = 0

    func perform(_ verb: String, _ words: [String], _ text: String) throws -> String {
        switch verb {
        case "bind":
            try node.bind(words[0], options: options)
            try describe()
        case "connect": try connect(words[0] == "-" ? nil : words[0])
        case "shutdown":
            guard let how = Int(words[0]), (0...2).contains(how) else { throw Errno.invalidArgument }
            try node.shutdown(Node.Directions(rawValue: how + 1))
        case "close": node.close()
        case "set":
            guard words[0] == "0", let option = CInt(words[1]) else { throw NotApplicable() }
            try set(option, text)
        case "get":
            guard words[0] == "0", let option = CInt(words[1]) else { throw NotApplicable() }
            return try get(option)
        case "timeout":
            let time = Duration.milliseconds(Int(words[1])!)
            if words[0] == "r" { timeouts.receive = time } else { timeouts.send = time }
        case "send": return try send(Array(text.utf8), words[0])
        case "sendfill":
            let bytes = Self.filled(Int(words[1])!, seed: UInt32(words[2])!)
            return "\(try send(bytes, words[0])) #\(Self.hash(bytes))"
        case "recv", "recvmsg": return try receive(words[0], isMessage: verb == "recvmsg")
        case "stream":
            for number in 0..<UInt32(words[0])! {
                try withUnsafeBytes(of: (number, UInt32(words[1])!)) { try node.send($0) }
            }
            return words[0]
        case "gather": return try gather(Int(words[0])!, of: words.count > 1 ? UInt32(words[1]) : nil)
        default: throw NotApplicable()
        }
        return ""
    }

    func connect(_ path: String?) throws {
        if outOfBand.handles && outOfBand.wants { try node.setWantsNumberOfNodes(true) }
        try node.connect(path, port: port, history: replays, window: window)
        try describe()
    }

    private func describe() throws {
        if !description.isEmpty { try node.setDescription(description) }
    }

    // MARK: Options

    private func set(_ option: CInt, _ text: String) throws {
        let number = Int(text) ?? 0
        switch option {
        case IPN_SO_MTU: options.mtu = number
        case IPN_SO_NUMNODES: options.nodeLimit = number
        case IPN_SO_MSGPOOLSIZE: options.poolSize = number
        case IPN_SO_FLAGS: options.isLossless = number == Int(IPN_FLAG_LOSSLESS)
        case IPN_SO_MODE: options.mode = FilePermissions(rawValue: CModeT(number))
        case IPN_SO_HISTORY: options.history = number
        case IPN_SO_PERSIST:
            if node.path != nil { try node.setPersistent(number != 0) }
            options.isPersistent = number != 0
        case IPN_SO_CHANGE_NUMNODES: try node.setNodeLimit(number)
        case IPN_SO_PORT: port = number < 0 ? nil : number
        case IPN_SO_WINDOW: window = number
        case IPN_SO_REPLAY: replays = number != 0
        case IPN_SO_DESCR:
            description = String(text.dropFirst(2))
            if node.path != nil { try describe() }
        case IPN_SO_HANDLE_OOB, IPN_SO_WANT_OOB_NUMNODES:
            if option == IPN_SO_HANDLE_OOB { outOfBand.handles = number != 0 } else { outOfBand.wants = number != 0 }
            if node.isConnected { try node.setWantsNumberOfNodes(outOfBand.handles && outOfBand.wants) }
        default: throw NotApplicable()
        }
    }

    private func get(_ option: CInt) throws -> String {
        let network = node.path == nil ? options : node.options
        switch option {
        case IPN_SO_MTU: return "\(network.mtu)"
        case IPN_SO_NUMNODES: return "\(node.path == nil ? network.nodeLimit : try node.nodeLimit())"
        case IPN_SO_MSGPOOLSIZE: return "\(network.poolSize)"
        case IPN_SO_FLAGS: return "\(network.isLossless ? IPN_FLAG_LOSSLESS : 0)"
        case IPN_SO_MODE: return "\(network.mode.rawValue)"
        case IPN_SO_HISTORY: return "\(network.history)"
        case IPN_SO_PERSIST: return try node.isPersistent() ? "1" : "0"
        case IPN_SO_PORT: return "\(node.isConnected ? node.port ?? -1 : port ?? -1)"
        case IPN_SO_LOST:
            defer { toldLost = node.lostCount }
            return "\(node.lostCount - toldLost)"
        default: throw NotApplicable()
        }
    }

    // MARK: Messages

    private func send(_ bytes: [UInt8], _ flags: String) throws -> String {
        guard !flags.contains("o") else { throw NotApplicable() }
        try node.send(bytes, timeout: flags.contains("d") ? .zero : timeouts.send)
        return "\(bytes.count)"
    }

    private func receive(_ flags: String, isMessage: Bool) throws -> String {
        guard !flags.contains("p"), !flags.contains("t") else { throw NotApplicable() }
        var message: Message?
        do throws(IPNError) {
            message = try node.receive(timeout: flags.contains("d") ? .zero : timeouts.receive)
        } catch {
            // Where Swift says that it may not receive, sockets say that nothing more comes.
            if error.errno == .permissionDenied && node.isConnected { return "0" }
            throw error
        }
        guard let message else { throw Errno.resourceTemporarilyUnavailable }
        if let nodes = message.numberOfNodes { return "16 oob 0:0 \(nodes.readers)/\(nodes.writers)" }
        let lost = isMessage && message.lost > 0 ? " lost=\(message.sequence - message.lost)+\(message.lost)" : ""
        let isText = message.bytes.count <= 100 && message.bytes.allSatisfy { (0x20...0x7e).contains($0) }
        let shown = isText ? String(decoding: message.bytes, as: UTF8.self) : "#\(Self.hash(message.bytes))"
        return "\(message.bytes.count)\(lost)" + (shown.isEmpty ? "" : " \(shown)")
    }

    private func gather(_ count: Int, of id: UInt32?) throws -> String {
        var next: [UInt32: UInt32] = [:]
        var taken = 0
        while taken < count {
            guard let message = try node.receive(), message.bytes.count == 8 else { return "no message after \(taken)" }
            let (number, sender) = message.bytes.withUnsafeBytes { $0.load(as: (UInt32, UInt32).self) }
            guard number == next[sender, default: 0] else { return "\(sender):\(number) out of order" }
            next[sender] = number + 1
            if id == nil || sender == id { taken += 1 }
        }
        return "\(count) from \(next.count)"
    }

    /// As party.h has it.
    private static func filled(_ count: Int, seed: UInt32) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: (UInt64($0) &* 2_654_435_761 &+ UInt64(seed &* 40503)) >> 7) }
    }

    private static func hash(_ bytes: [UInt8]) -> UInt32 {
        bytes.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 }
    }
}
