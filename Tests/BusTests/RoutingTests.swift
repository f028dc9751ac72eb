import Glibc
import IPN
import Testing
import TestSupport

/// What a routed network promises whatever its policy is: one order, nobody's memory but one's own, limits, an end.
@Suite struct RoutingTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    private func make(_ policy: String, directions: Node.Directions = [], _ change: (inout NetworkOptions) -> Void = { _ in }) throws -> Node {
        let node = Node()
        try node.bind(
            path,
            options: .with {
                $0.policy = Child.built("lib\(policy).so")
                change(&$0)
            })
        if !directions.isEmpty { try node.connect(directions: directions) }
        return node
    }

    /// What the policy `odd` tells of itself.
    private struct Tally {
        let handled, deepest, last, made: Int64

        init(_ node: Node) throws {
            let words = try node.policyOption(1).withUnsafeBytes { bytes in
                (0..<4).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self) }
            }
            (handled, deepest, last, made) = (words[0], words[1], words[2], words[3])
        }
    }

    private let patience = Duration.milliseconds(Int(watchdogMilliseconds))

    // MARK: Order and privacy

    @Test func fourWritersAreHeardInOneOrderByFourReaders() throws {
        let manager = try make("hub") {
            $0.isLossless = true
            $0.poolSize = 16
        }
        let readers = try (0..<4).map { _ in try Peer() }
        let writers = try (0..<4).map { _ in try Peer() }
        for reader in readers { try reader.expect("connect \(path) r") }
        for writer in writers { try writer.expect("connect \(path) w") }
        for reader in readers { try reader.tell("order 8000") }
        for (index, writer) in writers.enumerated() { try writer.tell("sendn 2000 100 \((index + 1) * 1_000_000)") }
        for writer in writers { #expect(try writer.answer() == "ok") }
        let orders = Set(try readers.map { try $0.answer() })
        #expect(orders.count == 1 && orders.first?.hasPrefix("ok ") == true, "\(orders)")
        #expect(manager.numberOfNodes.readers == 4)
    }

    @Test(arguments: [false, true]) func onlyRecipientsHaveTheMessageInAnyMemory(isLossless: Bool) throws {
        _ = try make("sieve") {
            $0.isLossless = isLossless
            $0.isPersistent = true
        }
        #expect(chmod(path, 0o777) == 0)
        let (sender, recipient, spy) = (try Peer(), try Peer(), try Peer(user: stranger))
        for peer in [sender, recipient, spy] { try peer.expect("connect \(path) rw") }
        try recipient.expect("prefix secret")
        try spy.expect("prefix other")
        // The spy has a part in everything: it sends, and receives.
        try spy.expect("send secret of the spy's own")
        #expect(try recipient.ask("receive") == "ok 0 0 secret of the spy's own")
        try sender.expect("send other for the spy")
        #expect(try spy.ask("receive") == "ok 0 0 other for the spy")
        try sender.expect("send secret for one alone")
        #expect(try recipient.ask("receive") == "ok 1 0 secret for one alone")
        #expect(try spy.ask("search secret for one alone") == "ok 0")
        #expect(try spy.ask("search for the spy") == "ok 1", "the search finds what is there")
        #expect(try recipient.ask("search secret for one alone") == "ok 1")
        #expect(try recipient.ask("search for the spy") == "ok 0")
        try Node().removePersistence(of: path)
    }

    // MARK: Limits

    @Test func aSlowReaderOfALossyNetworkLosesItsOldestAndIsToldHowMany() throws {
        let manager = try make("hub") { $0.poolSize = 4 }
        let slow = try Node(connecting: path, directions: .receive)
        let fast = try Node(connecting: path, directions: .receive)
        let sender = try Node(connecting: path, directions: .send)
        for number in 0..<100 {
            try sender.send("\(number)")
            #expect(try #require(try fast.receive(timeout: patience)).bytes == Array("\(number)".utf8))
        }
        let messages = try slow.drain()
        #expect(messages.map { String(decoding: $0.bytes, as: UTF8.self) } == ["96", "97", "98", "99"])
        #expect(messages.first?.lost == 96 && slow.lostCount == 96 && fast.lostCount == 0)
        #expect(manager.isConnected == false)
    }

    @Test(arguments: [false, true]) func aLosslessPoolIsFullForAllSenders(isKeeperStopped: Bool) throws {
        let manager = try make("hub") {
            $0.isLossless = true
            $0.poolSize = 4
        }
        let reader = try Node(connecting: path, directions: .receive)
        let (anna, bert) = (try Node(connecting: path, directions: .send), try Node(connecting: path, directions: .send))
        // Both have begun to send, and nothing is pending.
        for node in [anna, bert] {
            try node.send("first")
            #expect(try reader.receive(timeout: patience) != nil)
        }
        let keeper = try KeeperProcess(of: path)
        try eventually("all is counted as read") {
            try anna.send("probe", timeout: .zero)
            return try reader.receive(timeout: patience) != nil
        }
        if isKeeperStopped { kill(keeper.pid, SIGSTOP) }
        var sent = 0
        while sent < 4 {
            // A keeper that stands still may count as pending what was read since it looked: room then comes sooner or later,
            // but never too much of it.
            if isKeeperStopped {
                guard (try? anna.send("\(sent)", timeout: .zero)) != nil else { break }
            } else {
                try anna.send("\(sent)")
            }
            sent += 1
        }
        #expect(sent > 0)
        expect(throws: errno(EAGAIN)) { try bert.send("4", timeout: .zero) }
        expect(throws: errno(EAGAIN)) { try anna.send("4", timeout: .zero) }
        if isKeeperStopped { kill(keeper.pid, SIGCONT) }
        #expect(try #require(try reader.receive(timeout: patience)).bytes == Array("0".utf8))
        try bert.send("\(sent)")
        for number in 1..<sent + 1 {
            let message = try #require(try reader.receive(timeout: patience))
            #expect(message.bytes == Array("\(number)".utf8) && message.lost == 0)
        }
        #expect(manager.options.isLossless)
    }

    @Test func aLosslessSenderGoesOnWhenTheSlowReaderDies() throws {
        let manager = try make("hub") {
            $0.isLossless = true
            $0.poolSize = 2
        }
        let (slow, sender) = (try Peer(), try Peer())
        try slow.expect("connect \(path) r")
        try sender.expect("connect \(path) w")
        try sender.tell("sendn 50 10 1")
        try eventually("it waits for the slow one") { sender.child.isAsleep }
        slow.kill()
        #expect(try sender.answer() == "ok")
        #expect(manager.numberOfNodes.writers == 1)
    }

    @Test func messagesThatGoInCirclesStopAtTheHopLimit() throws {
        let node = try make("odd", directions: .both)
        try node.send("loop")
        try eventually("it has come to an end") { try Tally(node).last == Int64(-ELOOP) }
        let tally = try Tally(node)
        // The message, and two copies of it that make sixteen hops each.
        #expect(tally.handled == 33 && tally.deepest == 16)
    }

    @Test func aPolicyMakesNoMoreThanThePoolHolds() throws {
        let node = try make("odd", directions: .send) { $0.isLossless = true }
        let reader = Node()
        try reader.connect(path, directions: .receive, port: 5)
        try node.send("make 1000")
        for number in CInt(0)..<8 {
            let message = try #require(try reader.receive(timeout: patience))
            #expect(message.bytes == withUnsafeBytes(of: number) { Array($0) } && message.tag == 77)
        }
        #expect(try Tally(node).made == 8 && reader.receive(timeout: .zero) == nil)
        try node.send("long")
        try eventually("it was handled") { try Tally(node).last == Int64(-EMSGSIZE) }
        #expect(try reader.receive(timeout: .zero) == nil)
    }

    @Test func whatADeadSenderHasSentArrives() throws {
        _ = try make("hub") { $0.isPersistent = true }
        let reader = try Peer()
        try reader.expect("connect \(path) r")
        for round in 0..<10 {
            let writer = try Peer()
            try writer.expect("connect \(path) w")
            try writer.expect("send one \(round)")
            writer.kill()
            #expect(try reader.ask("receive") == "ok \(round) 0 one \(round)")
        }
        try Node().removePersistence(of: path)
        try eventually("all are forgotten") { try NetworkStatus(of: path).nodes.count == 1 }
    }
}

extension Node {
    /// Lets a network end with its last node.
    fileprivate func removePersistence(of path: String) throws {
        try bind(path, options: .with { $0.protocolNumber = 0 })
        try setPersistent(false)
        close()
    }
}
