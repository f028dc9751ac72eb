import CLinux
import Glibc
import IPN
import IPNRing
import SystemPackage
import TestSupport

/// Reads a line, does it with one node, answers with a line: `ok ...` or `error ERRNO ...`.
final class Conversation {
    let node = Node()
    private var held: [Keeping] = []
    /// What is to come next of each sender, and who was heard since somebody asked: for Conversation+Survival.
    var due: [UInt64: UInt64] = [:]
    var touched: Set<UInt64> = []
    /// Whether this party was there before every sender.
    var wasFirst = false

    /// A box for what must not be copied.
    private final class Keeping {
        let message: HeldMessage
        init(_ message: consuming HeldMessage) { self.message = message }
    }

    func run() {
        // A plan for our death is made before we answer for the first time.
        step("party: started")
        while let line = readLine() {
            let words = line.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
            guard let verb = words.first else { continue }
            do {
                say("ok \(try perform(verb, Array(words.dropFirst())))")
            } catch let error as IPNError {
                say("error \(error.errno.rawValue) \(error)")
            } catch {
                say("error 0 \(error)")
            }
        }
    }

    private func say(_ text: String) {
        let line = Array((text.hasSuffix(" ") ? String(text.dropLast()) : text).utf8) + [10]
        _ = write(STDOUT_FILENO, line, line.count)
    }

    private func perform(_ verb: String, _ words: [String]) throws -> String {
        switch verb {
        case "umask": umask(mode_t(words[0], radix: 8)!)
        case "bind":
            try node.bind(words[0], options: options(words.dropFirst()))
            return node.madeNetwork ? "made" : "joined"
        case "connect": return try connect(words)
        case "send": try node.send(words.joined(separator: " "))
        case "trysend": try node.send(words.joined(separator: " "), timeout: .zero)
        case "sendn": try sendMany(count: Int(words[0])!, size: Int(words[1])!, seed: UInt64(words[2])!)
        case "receive": return try receive(words.first.flatMap { Int($0) })
        case "collect": return try collect(Int(words[0])!)
        case "first": wasFirst = true
        case "burst": return "\(try burst(count: UInt64(words[0])!, size: Int(words[1])!, seed: UInt64(words[2])!, pause: UInt32(words[3])!))"
        case "surely": try surely(size: Int(words[0])!, tag: UInt64(words[1])!)
        case "visit": try visit(words[0], tag: UInt64(words[1])!)
        case "gather": return try gather(until: Set(words.compactMap { UInt64($0) }))
        case "drain": return "\(try drain())"
        case "counts": return "\(node.numberOfNodes.readers) \(node.numberOfNodes.writers)"
        case "churn": try churn(words[0], count: Int(words[1])!)
        case "order": return try order(Int(words[0])!)
        case "search": return "\(try search(words.joined(separator: " ")))"
        case "prefix": try node.setPolicyOption(1, Array(words.joined(separator: " ").utf8))
        case "hold": return try hold()
        case "check": return "\(held.filter { Pattern.matches($0.message.message.bytes, seed: $0.message.message.tag) }.count)"
        case "drop": held.removeAll()
        case "oob": try node.setWantsNumberOfNodes(words[0] == "on")
        case "describe": try node.setDescription(words.joined(separator: " "))
        case "persist": try node.setPersistent(words[0] == "on")
        case "limit": try node.setNodeLimit(Int(words[0])!)
        case "shutdown": try node.shutdown(directions(words[0]))
        case "close": node.close()
        case "exit": exit(0)
        default: return "what is \(verb)?"
        }
        return ""
    }

    private func directions(_ word: String) -> Node.Directions {
        var directions: Node.Directions = []
        if word.contains("r") { directions.insert(.receive) }
        if word.contains("w") { directions.insert(.send) }
        return directions
    }

    private func options(_ words: ArraySlice<String>) -> NetworkOptions {
        var options = NetworkOptions()
        for word in words {
            let pair = word.split(separator: "=")
            let value = pair.count > 1 ? String(pair[1]) : "1"
            switch pair[0] {
            case "mtu": options.mtu = Int(value)!
            case "pool": options.poolSize = Int(value)!
            case "nodes": options.nodeLimit = Int(value)!
            case "history": options.history = Int(value)!
            case "lossless": options.isLossless = true
            case "persist": options.isPersistent = true
            case "policy": options.policy = value
            case "protocol": options.protocolNumber = Int(value)!
            case "mode": options.mode = FilePermissions(rawValue: CModeT(value, radix: 8)!)
            default: fail("option \(word)")
            }
        }
        return options
    }

    /// `connect PATH|- [r|w|rw|none] [port=N] [window=N] [history]`
    private func connect(_ words: [String]) throws -> String {
        var wanted: Node.Directions = .both
        var port: Int? = nil
        var window: Int? = nil
        for word in words.dropFirst() {
            if word.hasPrefix("port=") {
                port = Int(word.dropFirst(5))
            } else if word.hasPrefix("window=") {
                window = Int(word.dropFirst(7))
            } else if word != "history" {
                wanted = directions(word == "none" ? "" : word)
            }
        }
        try node.connect(
            words[0] == "-" ? nil : words[0], directions: wanted, port: port, history: words.contains("history"), window: window)
        return "\(node.port ?? -1) \(node.directions.contains(.receive) ? "r" : "-")\(node.directions.contains(.send) ? "w" : "-")"
    }

    private func sendMany(count: Int, size: Int, seed: UInt64) throws {
        for index in 0..<UInt64(count) {
            try node.send(size, tag: seed &+ index) { Pattern.fill($0, seed: seed &+ index) }
        }
    }

    private func receive(_ milliseconds: Int?) throws -> String {
        guard let message = try node.receive(timeout: milliseconds.map { .milliseconds($0) }) else { return "none" }
        if let nodes = message.numberOfNodes { return "nodes \(nodes.readers) \(nodes.writers)" }
        return "\(message.sequence) \(message.lost) \(String(decoding: message.bytes, as: UTF8.self))"
    }

    /// Takes so many messages, and checks each byte and each sender's order. - Returns: count, sum of tags, senders.
    private func collect(_ count: Int) throws -> String {
        var next: [UInt64: UInt64] = [:]
        var sum: UInt64 = 0
        var taken = 0
        while taken < count {
            let isMessage = try node.withMessage { message -> Bool in
                guard message.numberOfNodes == nil else { return false }
                guard Pattern.matches(message.bytes, seed: message.tag) else { throw Trouble("wrong bytes in \(message.sequence)") }
                let due = next[message.sender] ?? message.sequence
                guard due == message.sequence, message.lost == 0 else {
                    throw Trouble("\(message.sender): \(message.sequence) came where \(due) was due, lost \(message.lost)")
                }
                next[message.sender] = due + 1
                sum &+= message.tag
                return true
            }
            if isMessage == true { taken += 1 }
        }
        return "\(taken) \(sum) \(next.count)"
    }

    /// Comes, says something, hears what is there, and goes.
    private func churn(_ path: String, count: Int) throws {
        for _ in 0..<count {
            let guest = try Node(connecting: path)
            try guest.send("here")
            _ = try guest.receive(timeout: .zero)
            guest.close()
        }
    }

    /// Takes so many messages of `sendn`, whoever sent them.
    /// - Returns: a number that depends on the order of their tags.
    private func order(_ count: Int) throws -> String {
        var hash: UInt64 = 0
        for _ in 0..<count {
            try node.withMessage { message in
                guard message.lost == 0, Pattern.matches(message.bytes, seed: message.tag) else { throw Trouble("wrong \(message.sequence)") }
                hash = SeededRandom.mix(hash ^ message.tag)
            }
        }
        return "\(hash)"
    }

    private func hold() throws -> String {
        guard let message = try node.hold() else { return "none" }
        let sequence = message.message.sequence
        held.append(Keeping(message))
        return "\(sequence)"
    }
}
