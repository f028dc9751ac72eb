import Glibc
import IPN
import Testing
import TestSupport

/// Writers and readers, each in its own process, and a sum that has to come out.
@Suite struct ManyProcessesTests {
    let scratch: Scratch
    let path: String
    let manager = Node()

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
        try manager.bind(
            path,
            options: .with {
                $0.isLossless = true
                $0.poolSize = 32
                $0.mtu = 4000
            })
    }

    /// The sum of tags that `sendn` gives.
    private func sum(_ count: UInt64, seed: UInt64) -> UInt64 { count &* seed &+ count * (count - 1) / 2 }

    @Test(arguments: [1, 300, 4000]) func everyMessageExactlyOnceInOrder(size: Int) throws {
        let readers = try (0..<3).map { _ in try Peer() }
        let writers = try (0..<3).map { _ in try Peer() }
        for reader in readers { try reader.expect("connect \(path) r") }
        for writer in writers { try writer.expect("connect \(path) w") }
        for reader in readers { try reader.tell("collect 6000") }
        for (index, writer) in writers.enumerated() { try writer.tell("sendn 2000 \(size) \((index + 1) * 1_000_000)") }
        for writer in writers { #expect(try writer.answer() == "ok") }
        let expected = (1...3).reduce(UInt64(0)) { $0 &+ sum(2000, seed: UInt64($1) * 1_000_000) }
        for reader in readers { #expect(try reader.answer() == "ok 6000 \(expected) 3") }
    }

    @Test func killedReadersAndWritersChangeNothingForTheOthers() throws {
        let reader = try Peer()
        try reader.expect("connect \(path) r")
        let writers = try (0..<2).map { _ in try Peer() }
        for writer in writers { try writer.expect("connect \(path) w") }
        let victims = try (0..<3).map { _ in try Peer() }
        for victim in victims { try victim.expect("connect \(path) r") }
        try reader.tell("collect 6000")
        for victim in victims { try victim.tell("collect 6000") }
        for (index, writer) in writers.enumerated() { try writer.tell("sendn 3000 200 \((index + 1) * 1_000_000)") }
        for victim in victims {
            // Somewhere on its way.
            try eventually("the stream flows") { (try NetworkStatus(of: path).sent) > 300 }
            victim.kill()
        }
        for writer in writers { #expect(try writer.answer() == "ok") }
        #expect(try reader.answer() == "ok 6000 \(sum(3000, seed: 1_000_000) &+ sum(3000, seed: 2_000_000)) 2")
    }

    @Test func aWriterKilledOnItsWayLeavesWholeMessagesInOrder() throws {
        let reader = try Node(connecting: path, directions: .receive)
        let (victim, other) = (try Peer(), try Peer())
        try victim.expect("connect \(path) w")
        try other.expect("connect \(path) w")
        try victim.tell("sendn 1000000 3000 5000000")
        try other.tell("sendn 2000 3000 7000000")
        var next: [UInt64: UInt64] = [:]
        func take() throws -> Bool {
            guard let message = try reader.receive(timeout: .zero) else { return false }
            #expect(message.sequence == next[message.sender] ?? 0 && message.lost == 0)
            #expect(message.bytes == Pattern.bytes(3000, seed: message.tag))
            next[message.sender] = message.sequence + 1
            return true
        }
        var taken = 0
        while taken < 1500 { if try take() { taken += 1 } }
        victim.child.signal(SIGKILL)
        while next.values.filter({ $0 == 2000 }).isEmpty { _ = try take() }
        #expect(try other.answer() == "ok")
        _ = try victim.child.wait()
        try eventually("it is counted out") { manager.numberOfNodes.writers == 1 }
        while try take() {}
        try other.expect("send on")
        #expect(try #require(try reader.receive()).bytes == Array("on".utf8))
    }

    @Test func messagesArriveFromAProcessThatIsGone() throws {
        let reader = try Peer()
        try reader.expect("connect \(path) r")
        for round in 0..<20 {
            let writer = try Peer()
            try writer.expect("connect \(path) w")
            try writer.expect("send one \(round)")
            try writer.expect("send two \(round)")
            if round % 2 == 0 { writer.kill() } else { try writer.tell("exit"); _ = try writer.child.wait() }
            #expect(try reader.ask("receive") == "ok 0 0 one \(round)")
            #expect(try reader.ask("receive") == "ok 1 0 two \(round)")
        }
        try eventually("nobody is owed anything") { try NetworkStatus(of: path).nodes.count == 2 }
    }
}
