import Glibc
import IPN
import SystemPackage
import Testing
import TestSupport

/// LOSSLESS across processes: the pool is the whole network's, and a full one holds senders up.
@Suite struct LosslessTests {
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
                $0.poolSize = 8
            })
    }

    /// Sends until there is no room. - Returns: how many went.
    private func fill(_ writer: Node) throws -> Int {
        var sent = 0
        while true {
            do {
                try writer.send("\(sent)", timeout: .zero)
                sent += 1
            } catch {
                guard error.errno.rawValue == EAGAIN else { throw error }
                return sent
            }
        }
    }

    @Test func aSendersOwnUnreadMessagesCount() throws {
        let (lazy, busy) = (try Node(connecting: path), try Node(connecting: path, directions: .send))
        #expect(try fill(busy) == 8)
        expect(throws: errno(EAGAIN)) { try lazy.send("not before it has read", timeout: .zero) }
        _ = try lazy.receive()
        try lazy.send("now", timeout: .zero)
    }

    @Test func aFullNetworkIsEAGAINAndNothingWasSent() throws {
        let (writer, reader) = (try Node(connecting: path), try Node(connecting: path))
        #expect(try fill(writer) == 8)
        expect(throws: errno(EAGAIN)) { try writer.send("x", timeout: .milliseconds(20)) }
        #expect(try #require(try reader.receive()).sequence == 0)
        #expect(try fill(writer) == 1)
        #expect(try reader.drain().map(\.sequence) == Array(1...8))
        #expect(try reader.drain().isEmpty)
        #expect(try fill(writer) == 8)
    }

    @Test func thePoolIsOneForAllWriters() throws {
        let writers = try (0..<3).map { _ in try Node(connecting: path, directions: .send) }
        let reader = try Node(connecting: path, directions: .receive)
        for _ in 0..<3 { try writers[0].send("x", timeout: .zero) }
        for _ in 0..<3 { try writers[1].send("x", timeout: .zero) }
        #expect(try fill(writers[2]) == 2)
        for writer in writers { #expect(try fill(writer) == 0) }
        _ = try reader.receive()
        #expect(try fill(writers[0]) == 1)
        #expect(try reader.drain().count == 8)
    }

    @Test func aMessageCountsOnceHoweverManyReceive() throws {
        let writer = try Node(connecting: path)
        let readers = try (0..<5).map { _ in try Node(connecting: path) }
        #expect(try fill(writer) == 8)
        for reader in readers.dropLast() { #expect(try reader.drain().count == 8) }
        #expect(try fill(writer) == 0, "the slowest counts")
        _ = try readers.last?.receive()
        #expect(try fill(writer) == 1)
    }

    @Test func withNobodyToReceiveItNeverBlocks() throws {
        let writer = try Node(connecting: path)
        for _ in 0..<100 { try writer.send("x", timeout: .zero) }
        let late = try Node(connecting: path)
        #expect(try late.drain().isEmpty)
        #expect(try fill(writer) == 8)
    }

    /// A writer that waits, in a process of its own, and a reader that has not read.
    private func blocked() throws -> (writer: Peer, reader: Peer) {
        let (writer, reader) = (try Peer(), try Peer())
        try reader.expect("connect \(path) r")
        try writer.expect("connect \(path) w")
        for _ in 0..<8 { try writer.expect("trysend x") }
        #expect(try writer.ask("trysend x").hasPrefix("error \(EAGAIN) "))
        try writer.tell("send through")
        // It sleeps in poll(2) on its bell: that is what it is to be blocked.
        try eventually("the writer sleeps") { writer.child.isAsleep }
        return (writer, reader)
    }

    @Test func aBlockedWriterGoesOnWhenTheReaderReads() throws {
        let (writer, reader) = try blocked()
        #expect(try reader.expect("receive") == "0 0 x")
        #expect(try writer.answer() == "ok")
    }

    @Test func aBlockedWriterGoesOnWhenTheReaderIsKilled() throws {
        let (writer, reader) = try blocked()
        reader.kill()
        #expect(try writer.answer() == "ok")
    }

    @Test func aBlockedWriterGoesOnWhenTheReaderShutsDown() throws {
        let (writer, reader) = try blocked()
        try reader.expect("shutdown r")
        #expect(try writer.answer() == "ok")
    }

    @Test func aBlockedWriterGoesOnWhenTheReaderLeaves() throws {
        let (writer, reader) = try blocked()
        try reader.expect("close")
        #expect(try writer.answer() == "ok")
    }

    @Test func aStoppedReaderHoldsEverybodyUpUntilItGoesOn() throws {
        let (writer, reader) = try blocked()
        reader.child.stop()
        let other = try Node(connecting: path, directions: .receive)
        #expect(try other.drain().isEmpty)
        try eventually("it sleeps again: the newcomer woke it to look") { writer.child.isAsleep }
        #expect(try NetworkStatus(of: path).sent == 8)
        reader.child.resume()
        try reader.expect("receive")
        #expect(try writer.answer() == "ok")
        #expect(try #require(try other.receive()).bytes == Array("through".utf8))
    }

    @Test func whatADeadWriterSentStillCounts() throws {
        let (dead, alive) = (try Peer(), try Node(connecting: path, directions: .send))
        let reader = try Node(connecting: path, directions: .receive)
        try dead.expect("connect \(path) w")
        for _ in 0..<5 { try dead.expect("send x") }
        dead.kill()
        try eventually("it is counted out") { manager.numberOfNodes.writers == 1 }
        #expect(try fill(alive) == 3)
        #expect(try reader.drain().count == 8)
        #expect(try fill(alive) == 8)
    }
}
