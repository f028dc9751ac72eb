import CIPN
import Testing
import TestSupport

/// SPEC 3: messages.
@Suite struct MessageTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    @Test(arguments: Way.allCases) func everybodyGetsItButTheSender(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        try party.joins(1, path)
        let other = try Party(way)
        try other.joins(0, path)
        try party.does("send 0 - to all")
        #expect(try party("recv 0 d 10") == "EAGAIN", "not the sender")
        #expect(try party("recv 1 - 10") == "ok 6 to all", "another socket of its process")
        #expect(try other("recv 0 - 10") == "ok 6 to all")
        try other.does("send 0 - back")
        for slot in [0, 1] { #expect(try party("recv \(slot) - 10") == "ok 4 back") }
    }

    /// The same message, whichever way it was sent and is received.
    @Test(arguments: Way.allCases, Way.allCases) func theWaysMeet(from: Way, to: Way) throws {
        let sender = try Party(from)
        try sender.makes(0, path, [IPN_SO_MTU: 1 << 20])
        let receiver = try Party(to)
        try receiver.joins(0, path)
        for (length, seed) in [(5000, 3), (1 << 20, 7)] {
            let sent = try sender.does("sendfill 0 - \(length) \(seed)")
            #expect(try receiver("recv 0 - \(length)") == "ok \(sent)")
        }
    }

    @Test(arguments: Way.allCases) func boundariesAreKept(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        try party.joins(1, path)
        for text in ["a", "", "bb", "", "ccc"] { try party.does("send 0 - \(text)") }
        for answer in ["ok 1 a", "ok 0", "ok 2 bb", "ok 0", "ok 3 ccc"] { #expect(try party("recv 1 d 100") == answer) }
        #expect(try party("recv 1 d 100") == "EAGAIN")
    }

    @Test(arguments: Way.allCases, [1, 2, 1514, 4096, 65_536, 1 << 20]) func lengths(way: Way, mtu: Int) throws {
        let party = try Party(way)
        try party.makes(0, path, [IPN_SO_MTU: mtu])
        try party.joins(1, path)
        for length in [0, 1, mtu - 1, mtu] {
            let sent = try party.does("sendfill 0 - \(length) \(length)")
            let got = try party("recv 1 - \(mtu + 10)")
            #expect(length > 100 ? got == "ok \(sent)" : got.hasPrefix("ok \(length)"), "\(length)")
        }
        #expect(try party("sendfill 0 - \(mtu + 1) 1") == "EMSGSIZE")
        #expect(try party("recv 1 d 10") == "EAGAIN", "nothing was sent")
    }

    @Test(arguments: Way.sockets) func shortBuffersCutAndSaySo(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        try party.joins(1, path)
        for _ in 0..<6 { try party.does("send 0 - 0123456789") }
        #expect(try party("recv 1 - 4") == "ok 4 0123")
        #expect(try party("recv 1 t 4") == "ok 10 0123", "MSG_TRUNC asks for the whole length")
        #expect(try party("recvmsg 1 - 4") == "ok 4 trunc 0123")
        #expect(try party("recvmsg 1 - 10") == "ok 10 0123456789")
        #expect(try party("recvmsg 1 t 4") == "ok 10 trunc 0123")
        #expect(try party("recv 1 - 0") == "ok 0")
        #expect(try party("recv 1 d 10") == "EAGAIN", "each receive took one message")
    }

    @Test(arguments: Way.sockets) func peekingLeavesTheMessage(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        try party.joins(1, path)
        #expect(try party("recv 1 pd 10") == "EAGAIN")
        try party.does("send 0 - first")
        try party.does("send 0 - second")
        for _ in 0..<3 { #expect(try party("recv 1 p 10") == "ok 5 first") }
        #expect(try party("recvmsg 1 p 2") == "ok 2 trunc fi")
        #expect(try party("recv 1 - 10") == "ok 5 first")
        #expect(try party("recv 1 pt 2") == "ok 6 se")
        #expect(try party("recv 1 - 10") == "ok 6 second")
    }

    /// As a datagram socket has it: news come in turn, and are marked, not asked for.
    @Test(arguments: Way.sockets) func nobodyAsksForOutOfBand(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        try party.joins(1, path)
        try party.does("send 0 - data")
        for line in ["recv 1 o 10", "recv 1 od 10", "recvmsg 1 op 10"] { #expect(try party(line) == "EOPNOTSUPP", "\(line)") }
        #expect(try party("recv 1 - 10") == "ok 4 data")
    }

    @Test(arguments: Way.sockets) func tagsTravelBeside(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        try party.joins(1, path)
        try party.does("sendmsg 0 - 18446744073709551615 both")
        #expect(try party("recvmsg 1 - 10") == "ok 4 tag=18446744073709551615 both")
        try party.does("set 0 0 \(IPN_SO_TAG) 8:42")
        #expect(try party("get 0 0 \(IPN_SO_TAG) 8") == "ok 42")
        try party.does("send 0 - own")
        #expect(try party("recvmsg 1 - 10") == "ok 3 tag=42 own")
        try party.does("set 0 0 \(IPN_SO_TAG) 8:0")
        try party.does("send 0 - none")
        #expect(try party("recvmsg 1 - 10") == "ok 4 none")
    }

    @Test(arguments: Way.allCases) func lossyDropsTheOldestAndCounts(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path, [IPN_SO_MSGPOOLSIZE: 4])
        try party.joins(1, path)
        try party.joins(2, path)
        for number in 0..<10 {
            #expect(try party("send 0 d \(number)") == "ok 1", "never blocks")
            #expect(try party("recv 2 d 10") == "ok 1 \(number)", "who keeps up loses nothing")
        }
        #expect(try party("recvmsg 1 d 10") == "ok 1 lost=0+6 6")
        for number in 7..<10 { #expect(try party("recvmsg 1 d 10") == "ok 1 \(number)") }
        #expect(try party("recvmsg 1 d 10") == "EAGAIN")
        #expect(try party("get 1 0 \(IPN_SO_LOST) 8") == "ok 6")
        #expect(try party("get 1 0 \(IPN_SO_LOST) 8") == "ok 0", "since it was last asked")
        #expect(try party("get 2 0 \(IPN_SO_LOST) 8") == "ok 0")
    }

    /// Of what several senders have sent, whoever of them: few over the limit, and so many that they are not dropped one by one.
    @Test(arguments: Way.allCases, [2, 40]) func theOldestOfAllSendersGo(way: Way, rounds: Int) throws {
        let party = try Party(way)
        try party.makes(0, path, [IPN_SO_MSGPOOLSIZE: 4])
        for slot in 1...3 { try party.joins(slot, path) }
        try party.does("shutdown 0 0")
        try party.does("shutdown 1 0")
        try party.does("shutdown 2 0")
        let sent = (0..<rounds).flatMap { round in (0..<3).map { (slot: $0, text: "\(round).\($0)") } }
        for message in sent { try party.does("send \(message.slot) - \(message.text)") }
        let got = try (0..<4).map { _ in String(try party.does("recv 3 d 10").split(separator: " ")[1]) }
        #expect(Set(got) == Set(sent.suffix(4).map(\.text)))
        #expect(try party("recv 3 d 10") == "EAGAIN")
        #expect(try party("get 3 0 \(IPN_SO_LOST) 8") == "ok \(sent.count - 4)")
    }

    @Test(arguments: Way.allCases) func losslessHoldsTheSenderUp(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path, [IPN_SO_MSGPOOLSIZE: 4, IPN_SO_FLAGS: Int(IPN_FLAG_LOSSLESS)])
        for number in 0..<20 { #expect(try party("send 0 d \(number % 10)") == "ok 1", "with nobody to receive") }
        try party.joins(1, path)
        try party.joins(2, path)
        for number in 0..<4 { #expect(try party("send 0 d \(number)") == "ok 1", "counted once for both") }
        #expect(try party("send 0 d x") == "EAGAIN")
        #expect(try party("recv 1 - 10") == "ok 1 0")
        #expect(try party("send 0 d x") == "EAGAIN", "the slowest counts")
        #expect(try party("recv 2 - 10") == "ok 1 0")
        #expect(try party("send 0 d 4") == "ok 1")
        #expect(try party("send 0 d x") == "EAGAIN")
        try party.does("shutdown 2 0")
        #expect(try party("send 0 d x") == "EAGAIN", "the other has not read")
        for number in 1..<5 { #expect(try party("recv 1 d 10") == "ok 1 \(number)", "nothing lost, in order") }
        #expect(try party("recv 1 d 10") == "EAGAIN")
    }

    @Test(arguments: Way.allCases) func aDeadReceiverHoldsNobodyUp(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path, [IPN_SO_MSGPOOLSIZE: 2, IPN_SO_FLAGS: Int(IPN_FLAG_LOSSLESS)])
        let reader = try Party(way)
        try reader.joins(0, path)
        for _ in 0..<2 { try party.does("send 0 d x") }
        #expect(try party("send 0 d x") == "EAGAIN")
        try party.tell("send 0 - waits")
        reader.child.kill()
        #expect(try party.answer() == "ok 5")
    }

    @Test(arguments: Way.allCases) func whatWasSentArrivesFromWhoIsGone(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        let sender = try Party(way)
        try sender.joins(0, path)
        for number in 0..<5 { try sender.does("send 0 - \(number)") }
        sender.child.kill()
        for number in 0..<5 { #expect(try party("recv 0 - 10") == "ok 1 \(number)") }
    }
}
