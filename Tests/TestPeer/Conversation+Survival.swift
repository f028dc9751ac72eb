import Glibc
import IPN
import TestSupport

/// What a party does while others die, and what it has to show for it. Messages below tag 2^63 are those of survivors.
extension Conversation {
    /// Sends so many messages, `pause` microseconds apart.
    /// - Returns: how many of them were published; a LOSSY node without a slot counts a message as lost to all.
    func burst(count: UInt64, size: Int, seed: UInt64, pause: UInt32) throws -> UInt64 {
        var published: UInt64 = 0
        for index in 0..<count {
            try node.send(size, tag: seed &+ index) {
                Pattern.fill($0, seed: seed &+ index)
                published += 1
            }
            if pause > 0 { usleep(pause) }
        }
        return published
    }

    /// Sends one message, again where a LOSSY node had no slot for it.
    func surely(size: Int, tag: UInt64) throws {
        while try burst(count: 1, size: size, seed: tag, pause: 0) == 0 { usleep(1000) }
    }

    /// Comes and says something, as a party that was not there before.
    func visit(_ path: String, tag: UInt64) throws {
        let guest = try Node(connecting: path)
        try guest.send(100, tag: tag) { Pattern.fill($0, seed: tag) }
        guest.close()
    }

    /// Takes messages until those with the given tags have come, whosever others come as well.
    /// - Returns: how many of survivors came, how many were lost, the sum of their tags; and how far the sender of the last
    ///   tag was heard: its messages that came and those that were told to be lost.
    func gather(until tags: Set<UInt64>) throws -> String {
        var tags = tags
        let last = tags.max()
        var (count, lost, sum, heard) = (0, UInt64(0), UInt64(0), UInt64(0))
        while !tags.isEmpty {
            _ = try node.withMessage { message in
                try hear(message)
                guard message.numberOfNodes == nil else { return }
                lost += message.lost
                tags.remove(message.tag)
                guard message.tag < 1 << 63 else { return }
                count += 1
                sum &+= message.tag
                if message.tag == last { heard = message.sequence + 1 }
            }
        }
        return "\(count) \(lost) \(sum) \(heard)"
    }

    /// Takes all that is there.
    /// - Returns: a number that depends on how many messages of whom were heard since it was asked last.
    func drain() throws -> UInt64 {
        while try node.withMessage(timeout: .zero, { try hear($0) }) != nil {}
        defer { touched = [] }
        return touched.reduce(0) { $0 &+ SeededRandom.mix($1 ^ SeededRandom.mix(due[$1]!)) }
    }

    /// Checks each byte, that each sender's messages come in order, each once, and that whatever does not come is counted.
    private func hear(_ message: ArrivedMessage) throws {
        guard message.numberOfNodes == nil else { return }
        guard Pattern.matches(message.bytes, seed: message.tag) else { throw Trouble("wrong bytes in \(message.sequence)") }
        let next = due[message.sender] ?? (wasFirst ? 0 : message.sequence - message.lost)
        guard next + message.lost == message.sequence else {
            throw Trouble("\(message.sender): \(message.sequence) came where \(next) was due, lost \(message.lost)")
        }
        due[message.sender] = message.sequence + 1
        touched.insert(message.sender)
    }
}
