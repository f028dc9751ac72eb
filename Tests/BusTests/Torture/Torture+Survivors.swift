import Glibc
import IPN
import TestSupport

extension Torture {
    /// What survivors do while somebody dies.
    struct Batch {
        /// Of the tags of this batch.
        let seeds: [UInt64]
        /// Sends the last message of all.
        let lastWriter: Int
        let lastTag: UInt64
        /// What each writer published; nil as long as it was not asked.
        var published: [UInt64]?
    }

    private static let messages: UInt64 = 60

    /// Each writer begins to send, and each reader to receive.
    func beginBatch() throws {
        batches += 1
        let first = batches << 20
        let batch = Batch(
            seeds: writers.indices.map { first | UInt64($0) << 16 }, lastWriter: Int(batches % 2), lastTag: first | 0xfffff)
        self.batch = batch
        for (writer, seed) in zip(writers, batch.seeds) {
            try writer.tell("burst \(Self.messages) \(random.next() % 3000) \(seed) \(random.next() % 500)")
        }
        // On a LOSSY network only the very last message is sure to come.
        let last = isLossless ? batch.seeds.map { $0 + Self.messages - 1 } + [batch.lastTag] : [batch.lastTag]
        for reader in readers { try reader.tell("gather \(last.map(String.init).joined(separator: " "))") }
    }

    /// Waits until every writer has sent all it was to send.
    func endBursts() throws {
        guard batch?.published == nil else { return }
        batch?.published = try writers.map { writer in
            let answer = try writer.answer()
            guard let count = UInt64(answer.dropFirst(3)) else { throw Trouble("writer \(writer.child.pid): \(answer)") }
            return count
        }
    }

    /// Whoever is left has received what was sent, in order, none twice, and all that is missing is counted; a newcomer is let
    /// in and heard; and those who are gone are counted no more.
    func endBatch(isKeeperWell: Bool) throws {
        try endBursts()
        guard let batch, let counts = batch.published else { return }
        // A LOSSY writer may be out of slots as long as the keeper wants a processor.
        guard !isLossless || counts.allSatisfy({ $0 == Self.messages }) else { throw Trouble("only \(counts) were published") }
        try writers[batch.lastWriter].expect("surely 8 \(batch.lastTag)")
        for index in writers.indices { published[index] += counts[index] + (index == batch.lastWriter ? 1 : 0) }
        let sum = batch.seeds.reduce(batch.lastTag) { sum, seed in (0..<Self.messages).reduce(sum) { $0 &+ seed &+ $1 } }
        for reader in readers {
            let answer = try reader.answer()
            let numbers = answer.split(separator: " ").compactMap { UInt64($0) }
            guard answer.hasPrefix("ok "), numbers.count == 4 else { throw Trouble("reader \(reader.child.pid): \(answer)") }
            guard numbers[3] == published[batch.lastWriter] else {
                throw Trouble("a reader accounts for \(numbers[3]) messages of \(published[batch.lastWriter])")
            }
            guard !isLossless || numbers[..<3] == [2 * Self.messages + 1, 0, sum] else { throw Trouble("a reader got \(numbers), not \(sum)") }
        }
        try settle(isKeeperWell: isKeeperWell)
    }

    private func settle(isKeeperWell: Bool) throws {
        let visit = 1 << 63 + batches
        try manager.expect("visit \(path) \(visit)")
        var counts = ""
        try eventually("two readers and two writers are counted, not \(counts)") {
            counts = try manager.expect("counts")
            return counts == "2 2"
        }
        // What a victim had sent, all have heard, or none; only together with its keeper it may have been heard by some.
        // Who has heard the visitor, who came last, has been told of everybody.
        if isLossless { for reader in readers { try reader.expect("gather \(visit)") } }
        let heard = try readers.map { try $0.expect("drain") }
        guard !isLossless || !isKeeperWell || heard[0] == heard[1] else { throw Trouble("readers heard different things of who died: \(heard)") }
    }

    /// What the keeper says of everybody.
    var situation: String {
        guard let status = try? NetworkStatus(of: path) else { return "no keeper answers" }
        let nodes = status.nodes.map { "\($0.processID) sent \($0.sent) received \($0.received) lost \($0.lost) pending \($0.pending)" }
        return "\(isLossless ? "LOSSLESS" : "LOSSY") \(nodes), parties \(parties.map(\.child.pid))"
    }

    /// Messages beside those of a batch. - Returns: how many were published.
    private func burst(_ count: UInt64, by writer: Int) throws -> UInt64 {
        UInt64(try writers[writer].expect("burst \(count) 8 \(1 << 63 + random.next() % 1000) 0")) ?? 0
    }

    // MARK: What everybody holds

    /// Descriptors, and mappings of the bus's memory.
    struct Holdings: CustomStringConvertible {
        let who: String
        let descriptors: Int
        let mappings: Int

        init(_ who: String, _ pid: Int32) {
            self.who = who
            descriptors = openDescriptors(of: pid)
            mappings =
                (try? Child.run("/bin/grep", ["-c", "memfd:ipn", "/proc/\(pid)/maps"])).flatMap {
                    Int($0.text.dropLast())
                } ?? 0
        }

        var description: String { "\(who): \(descriptors) descriptors, \(mappings) mappings" }
    }

    func held() throws -> [Holdings] {
        [Holdings("keeper", try KeeperProcess(of: path).pid)]
            + zip(["manager", "reader", "reader", "writer", "writer"], parties).map { Holdings($0, $1.child.pid) }
    }

    /// Nobody holds anything of those who have died.
    func expectHoldings() throws {
        try beginBatch()
        try endBatch(isKeeperWell: false)
        var now: [Holdings] = []
        try eventually("what was held is given back: \(holdings) before, \(now) now") {
            // Who does not look does not learn of anybody. A LOSSLESS pool may be full with one message.
            for index in writers.indices {
                published[index] += try burst(1, by: index)
                for reader in readers { try reader.expect("drain") }
            }
            now = try held()
            return zip(holdings, now).allSatisfy { $1.descriptors <= $0.descriptors && $1.mappings <= $0.mappings }
        }
        guard !isLossless else { return }
        // All slots at once, but those that a writer keeps: none is held for a reader that is gone.
        for index in writers.indices {
            try eventually("writer \(index) has its slots back") {
                let count = try burst(60, by: index)
                published[index] += count
                for reader in readers { try reader.expect("drain") }
                return count == 60
            }
        }
    }
}
