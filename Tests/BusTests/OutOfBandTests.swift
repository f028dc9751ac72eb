import Glibc
import IPN
import Testing
import TestSupport

/// Who is there: told at every change, coalesced for who does not read.
@Suite struct OutOfBandTests {
    let scratch: Scratch
    let path: String
    let watcher: Node

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
        watcher = try Node(binding: path, directions: .receive)
    }

    /// The next news, waited for.
    private func news() throws -> NumberOfNodes {
        let patience = Duration.milliseconds(Int(watchdogMilliseconds))
        guard let nodes = try watcher.receive(timeout: patience)?.numberOfNodes else { throw Trouble("no news came") }
        return nodes
    }

    @Test func everyChangeIsTold() throws {
        try watcher.setWantsNumberOfNodes(true)
        #expect(try news() == NumberOfNodes(readers: 1, writers: 0))
        let other = try Peer()
        try other.expect("connect \(path)")
        #expect(try news() == NumberOfNodes(readers: 2, writers: 1))
        try other.expect("shutdown r")
        #expect(try news() == NumberOfNodes(readers: 1, writers: 1))
        let third = try Peer()
        try third.expect("connect \(path) w")
        #expect(try news() == NumberOfNodes(readers: 1, writers: 2))
        other.kill()
        #expect(try news() == NumberOfNodes(readers: 1, writers: 1))
        try third.expect("close")
        #expect(try news() == NumberOfNodes(readers: 1, writers: 0))
        #expect(try watcher.receive(timeout: .zero) == nil)
    }

    @Test func theJoinerIsToldTooAndWhoDidNotAskIsNot() throws {
        let other = Node()
        try other.setWantsNumberOfNodes(true)
        try other.connect(path)
        #expect(try #require(try other.receive()).numberOfNodes == NumberOfNodes(readers: 2, writers: 1))
        #expect(try watcher.receive(timeout: .zero) == nil)
        #expect(watcher.numberOfNodes == NumberOfNodes(readers: 2, writers: 1))
    }

    @Test func changesCoalesceToTheNewest() throws {
        try watcher.setWantsNumberOfNodes(true)
        _ = try news()
        for _ in 0..<20 { try Node(connecting: path).close() }
        let last = try Node(connecting: path, directions: .send)
        #expect(try news() == NumberOfNodes(readers: 1, writers: 1))
        #expect(try watcher.receive(timeout: .zero) == nil)
        #expect(last.isConnected)
    }

    @Test func newsComeBeforeData() throws {
        let sender = try Node(connecting: path, directions: .send)
        try sender.send("data")
        try watcher.setWantsNumberOfNodes(true)
        #expect(try #require(try watcher.receive()).numberOfNodes != nil)
        #expect(try #require(try watcher.receive()).bytes == Array("data".utf8))
    }

    @Test func aSleepingWatcherIsWokenByADeath() throws {
        let (peer, victim) = (try Peer(), try Peer())
        try peer.expect("connect \(path) r")
        try peer.expect("oob on")
        #expect(try peer.ask("receive") == "ok nodes 2 0")
        try victim.expect("connect \(path) w")
        #expect(try peer.ask("receive") == "ok nodes 2 1")
        try peer.tell("receive")
        try eventually("it sleeps") { peer.child.isAsleep }
        victim.kill()
        #expect(try peer.answer() == "ok nodes 2 0")
    }

    @Test func whoNoLongerAsksIsNotTold() throws {
        try watcher.setWantsNumberOfNodes(true)
        _ = try news()
        try watcher.setWantsNumberOfNodes(false)
        let other = try Node(connecting: path)
        #expect(try watcher.receive(timeout: .zero) == nil)
        try watcher.setWantsNumberOfNodes(true)
        #expect(try news() == NumberOfNodes(readers: 2, writers: 1))
        #expect(other.isConnected)
    }

    @Test func waitingForReadersEndsWhenTheyAreThere() throws {
        let sender = try Peer()
        try sender.expect("connect \(path) w")
        let waiting = Node()
        try waiting.connect(path, directions: .send)
        try waiting.waitForReaders(1)
        #expect(waiting.othersReceiving == 1)
        #expect(waiting.othersReceiving >= 1)
        try waiting.waitForReaders(2, timeout: .milliseconds(20))
        #expect(waiting.othersReceiving == 1, "the time was over")
        try sender.expect("close")
    }

    @Test func aNodeThatShutDownReceivingStillHears() throws {
        let node = try Node(connecting: path)
        try node.setWantsNumberOfNodes(true)
        try node.shutdown(.receive)
        let sender = try Node(connecting: path, directions: .send)
        try sender.send("not for you")
        var last: NumberOfNodes?
        while let message = try node.receive(timeout: .zero) {
            #expect(message.numberOfNodes != nil, "only news")
            last = message.numberOfNodes ?? last
        }
        #expect(last == NumberOfNodes(readers: 1, writers: 2))
    }
}
