import Glibc
import IPN
import Testing
import TestSupport

/// LOSSY across processes: a send never waits, and what was lost is told exactly.
@Suite struct LossyTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    /// Reads what is there and checks that every message is either here or counted.
    private func account(_ messages: [Message], from start: UInt64, to end: UInt64) {
        var next = start
        for message in messages {
            #expect(message.sequence - message.lost == next)
            #expect(message.bytes == Pattern.bytes(100, seed: message.tag))
            next = message.sequence + 1
        }
        #expect(next == end)
    }

    @Test func theOldestGoAndTheirNumberIsTold() throws {
        let writer = try Node(binding: path)
        let reader = try Node(connecting: path)
        var sent: UInt64 = 0
        for burst in [5, 8, 9, 1000, 1, 5000] {
            let start = sent
            for _ in 0..<burst {
                try writer.send(Pattern.bytes(100, seed: sent), tag: sent)
                sent += 1
            }
            let messages = try reader.drain()
            #expect(messages.count == min(burst, 8))
            account(messages, from: start, to: sent)
        }
    }

    @Test func aStoppedReaderChangesNothing() throws {
        let writer = try Node(binding: path)
        let (quick, stopped) = (try Node(connecting: path), try Peer())
        try stopped.expect("connect \(path) r")
        stopped.child.stop()
        for index in 0..<UInt64(3000) {
            try writer.send(Pattern.bytes(100, seed: index), tag: index)
            #expect(try #require(try quick.receive(timeout: .zero)).sequence == index)
        }
        stopped.child.resume()
        #expect(try stopped.expect("receive").hasPrefix("2992 2992 "))
    }

    @Test func aReaderKilledWhileItReadsChangesNothing() throws {
        let writer = try Node(binding: path, options: .with { $0.poolSize = 64 })
        let steady = try Peer()
        try steady.expect("connect \(path) r")
        try steady.tell("receive")
        try writer.send("first")
        #expect(try steady.answer() == "ok 0 0 first")
        for round in 0..<5 {
            let victim = try Peer()
            try victim.expect("connect \(path) r")
            try victim.expect("oob on")
            try victim.tell("collect 1000000")
            for index in 0..<400 {
                try writer.send(Pattern.bytes(100, seed: 1), tag: 1)
                if index == 200 { victim.child.signal(SIGKILL) }
            }
            _ = try victim.child.wait()
            // With an old roster a writer may run out of slots, and drop; the end of the round must not be what it drops.
            try eventually("the writer has a slot") {
                let before = try NetworkStatus(of: path).sent
                try writer.send("round \(round)")
                return try NetworkStatus(of: path).sent > before
            }
            while true {
                let answer = try steady.expect("receive")
                if answer.hasSuffix("round \(round)") { break }
            }
        }
        try eventually("the dead are counted out") { writer.numberOfNodes.readers == 2 }
    }

    @Test func severalWritersLoseNothingUncounted() throws {
        let manager = Node()
        try manager.bind(path, options: .with { $0.poolSize = 16 })
        let reader = try Node(connecting: path, directions: .receive)
        let writers = try (0..<3).map { _ in try Peer() }
        for writer in writers { try writer.expect("connect \(path) w") }
        for (index, writer) in writers.enumerated() { try writer.tell("sendn 4000 100 \(index * 100_000)") }
        for writer in writers { try writer.tell("send end") }
        var next: [UInt64: UInt64] = [:]
        func take(_ message: Message) {
            #expect(message.sequence - message.lost == next[message.sender] ?? 0)
            if message.tag != 0 || message.bytes.count == 100 {
                #expect(message.bytes == Pattern.bytes(100, seed: message.tag))
            }
            next[message.sender] = message.sequence + 1
        }
        for writer in writers {
            while !isReadable(writer.child.standardOutput) { if let message = try reader.receive(timeout: .milliseconds(1)) { take(message) } }
            #expect(try writer.answer() == "ok")
            #expect(try writer.answer() == "ok")
        }
        for message in try reader.drain() { take(message) }
        // One's newest may have gone for the others' sake; it tells so with the next.
        for writer in writers { try writer.expect("send last") }
        for message in try reader.drain() { take(message) }
        // What a writer dropped for want of a slot, while its roster was old, has no sequence and is counted apart.
        let dropped = try NetworkStatus(of: path).nodes.reduce(0) { $0 + $1.dropped }
        #expect(next.count == 3 && next.values.reduce(0, +) + dropped == 3 * 4002)
    }
}
