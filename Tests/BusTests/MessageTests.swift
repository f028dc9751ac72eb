import Glibc
import IPN
import Testing
import TestSupport

/// One message: who gets it, and what arrives.
@Suite struct MessageTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    @Test func everybodyButTheSenderGetsIt() throws {
        let anna = try Node(binding: path)
        let bert = try Node(connecting: path)
        let carl = try Peer()
        try carl.expect("connect \(path)")
        try anna.send("hello", tag: 7)
        let message = try #require(try bert.receive())
        #expect(message.bytes == Array("hello".utf8) && message.tag == 7 && message.lost == 0)
        #expect(try carl.ask("receive") == "ok 0 0 hello")
        #expect(try anna.receive(timeout: .zero) == nil)
        try carl.expect("send me too")
        #expect(try #require(try anna.receive()).bytes == Array("me too".utf8))
        #expect(try #require(try bert.receive()).bytes == Array("me too".utf8))
        #expect(try carl.ask("receive 0") == "ok none")
    }

    @Test func messagesOfOneWriterComeInOrder() throws {
        let writer = try Node(binding: path, options: .with { $0.poolSize = 1000 })
        let reader = try Peer()
        try reader.expect("connect \(path) r")
        try reader.tell("collect 900")
        for index in 0..<UInt64(900) { try writer.send(Pattern.bytes(Int(index), seed: index), tag: index) }
        #expect(try reader.answer() == "ok 900 \(899 * 900 / 2) 1")
    }

    @Test func zeroLengthIsAMessage() throws {
        let writer = try Node(binding: path)
        let reader = try Node(connecting: path)
        try writer.send([])
        try writer.send("after")
        #expect(try #require(try reader.receive()).bytes.isEmpty)
        #expect(try #require(try reader.receive()).bytes.count == 5)
    }

    @Test(arguments: [1, 100, 1514, 70_000]) func theMTUFitsAndOneMoreDoesNot(mtu: Int) throws {
        let writer = try Node(binding: path, options: .with { $0.mtu = mtu })
        let reader = try Node(connecting: path)
        expect(throws: errno(EMSGSIZE)) { try writer.send([UInt8](repeating: 1, count: mtu + 1)) }
        try writer.send(Pattern.bytes(mtu, seed: 5))
        let message = try #require(try reader.receive())
        #expect(message.sequence == 0, "nothing was sent before")
        #expect(message.bytes == Pattern.bytes(mtu, seed: 5))
        #expect(try reader.receive(timeout: .zero) == nil)
    }

    @Test func aJoinerStartsAtItsJoin() throws {
        let writer = try Node(binding: path)
        let early = try Node(connecting: path)
        try writer.send("one")
        let late = try Node(connecting: path)
        try writer.send("two")
        #expect(try #require(try late.receive()).sequence == 1)
        #expect(try #require(try early.receive()).sequence == 0)
    }

    @Test func historyIsForThoseWhoAsk() throws {
        let writer = try Node(binding: path, options: .with { $0.history = 5 })
        for index in 0..<20 { try writer.send("\(index)") }
        let curious = Node()
        try curious.connect(path, history: true)
        let other = try Node(connecting: path)
        for index in 15..<20 { #expect(try #require(try curious.receive(timeout: .zero)).bytes == Array("\(index)".utf8)) }
        #expect(try curious.receive(timeout: .zero) == nil)
        #expect(try other.receive(timeout: .zero) == nil)
    }

    @Test func aSenderSaysWhatOfItsHistoryIsWorthKeeping() throws {
        let writer = try Node(binding: path, options: .with { $0.history = 1000 })
        for index in 0..<100 { try writer.send("\(index)") }
        writer.keepHistory(from: 90)
        #expect(writer.nextSequence == 100)
        let late = Node()
        try late.connect(path, history: true)
        #expect(late.pendingCount == 10)
        #expect(try #require(try late.receive(timeout: .zero)).sequence == 90)
        // What somebody has still to read stays there.
        while try late.receive(timeout: .zero) != nil {}
        writer.keepHistory(from: writer.nextSequence)
        let later = Node()
        try later.connect(path, history: true)
        #expect(try later.receive(timeout: .zero) == nil)
        // What was given up stays so.
        writer.keepHistory(from: 0)
        try writer.send("next")
        #expect(try #require(try later.receive()).sequence == 100)
    }

    @Test func aReceiverGoesBackAndForward() throws {
        let writer = try Node(binding: path, options: .with { $0.history = 50 })
        for index in 0..<100 { try writer.send("\(index)") }
        let reader = Node()
        try reader.connect(path, history: true)
        let first = try #require(try reader.receive(timeout: .zero))
        #expect(first.sequence == 50)
        while try reader.receive(timeout: .zero) != nil {}
        #expect(reader.seek(to: 80, of: first.sender))
        #expect(reader.pendingCount == 20)
        #expect(try #require(try reader.receive(timeout: .zero)).bytes == Array("80".utf8))
        #expect(reader.seek(to: 99, of: first.sender))
        #expect(try #require(try reader.receive(timeout: .zero)).bytes == Array("99".utf8))
        // Not sent yet, kept no longer, nobody's.
        #expect(!reader.seek(to: 101, of: first.sender) && !reader.seek(to: 10, of: first.sender) && !reader.seek(to: 80, of: 0))
        #expect(try reader.receive(timeout: .zero) == nil)
        #expect(reader.lostCount == 0)
        try writer.send("100")
        #expect(try #require(try reader.receive()).sequence == 100)
    }

    @Test func onALosslessNetworkNobodyGoesBack() throws {
        let writer = try Node(
            binding: path,
            options: .with {
                $0.history = 50; $0.isLossless = true; $0.poolSize = 50
            })
        let reader = try Node(connecting: path)
        for index in 0..<50 { try writer.send("\(index)") }
        let first = try #require(try reader.receive(timeout: .zero))
        #expect(!reader.seek(to: 0, of: first.sender))
        #expect(reader.seek(to: 40, of: first.sender))
        #expect(try #require(try reader.receive(timeout: .zero)).sequence == 40)
        // What was passed over holds nobody up any more.
        for index in 50..<91 { try writer.send("\(index)", timeout: .zero) }
    }

    @Test func withoutMessagesATimeoutEnds() throws {
        let node = try Node(binding: path)
        #expect(try node.receive(timeout: .zero) == nil)
        #expect(try node.receive(timeout: .milliseconds(20)) == nil)
    }

    @Test func aLoanThatIsCancelledIsNoMessage() throws {
        let writer = try Node(binding: path)
        let reader = try Node(connecting: path)
        for _ in 0..<500 { writer.cancel(try #require(try writer.lend(1000))) }
        try writer.send("x")
        #expect(try #require(try reader.receive()).sequence == 0)
    }

    @Test func shutDownIsForGood() throws {
        let (anna, bert) = (try Node(binding: path), try Node(connecting: path))
        try bert.send("seen")
        try bert.send("flushed")
        #expect(try #require(try anna.receive()).bytes == Array("seen".utf8))
        try anna.shutdown(.receive)
        expect(throws: errno(EACCES)) { try anna.receive() }
        try anna.send("still")
        try anna.shutdown(.send)
        expect(throws: errno(EPIPE)) { try anna.send("no more") }
        #expect(try #require(try bert.receive()).bytes == Array("still".utf8))
        let early = Node()
        try early.shutdown(.send)
        try early.connect(path)
        #expect(early.directions == .receive)
    }

    @Test func anUnconnectedNodeNeitherSendsNorReceives() throws {
        let node = Node()
        expect(throws: errno(ENOTCONN)) { try node.send("x") }
        expect(throws: errno(ENOTCONN)) { try node.receive() }
        try node.bind(path)
        expect(throws: errno(ENOTCONN)) { try node.send("x") }
        expect(throws: errno(ENOTCONN)) { try node.receive() }
    }
}
