import CIPN
import Testing
import TestSupport

/// SPEC 3: what blocks, for how long, and what ends it.
@Suite struct BlockingTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    @Test(arguments: Way.allCases) func aReceiverSleepsUntilSomethingComes(way: Way) throws {
        let (party, other) = (try Party(way), try Party(way))
        try party.makes(0, path)
        try other.joins(0, path)
        try other.sleeps("recv 0 - 10")
        try party.does("send 0 - wake")
        #expect(try other.answer() == "ok 4 wake")
    }

    @Test(arguments: Way.allCases) func aSignalInterrupts(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path, [IPN_SO_MSGPOOLSIZE: 1, IPN_SO_FLAGS: Int(IPN_FLAG_LOSSLESS)])
        try party.joins(1, path)
        try party.does("interrupt 20")
        #expect(try party("recv 1 - 10") == "EINTR")
        try party.does("send 0 d x")
        #expect(try party("send 0 - y") == "EINTR")
        try party.does("interrupt 0")
        #expect(try party("recv 1 d 10") == "ok 1 x")
        #expect(try party("recv 1 d 10") == "EAGAIN", "what was interrupted was not sent")
    }

    @Test(arguments: Way.sockets) func aSignalInterruptsWhoPolls(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        try party.does("interrupt 20")
        #expect(try party("poll 0 i -1") == "EINTR")
        try party.does("interrupt 0")
    }

    @Test(arguments: Way.sockets) func nonBlockingSockets(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path, [IPN_SO_MSGPOOLSIZE: 1, IPN_SO_FLAGS: Int(IPN_FLAG_LOSSLESS)])
        try party.does("socket 1 34 \(3 | 0o4000) 1")  // SOCK_NONBLOCK
        try party.does("connect 1 \(path)")
        #expect(try party("recv 1 - 10") == "EAGAIN")
        try party.does("nonblocking 0 on")
        #expect(try party("recv 0 - 10") == "EAGAIN")
        try party.does("send 0 - x")
        #expect(try party("send 0 - x") == "EAGAIN")
        try party.does("nonblocking 0 off")
        try party.does("interrupt 20")
        #expect(try party("send 0 - x") == "EINTR", "blocks again")
        try party.does("interrupt 0")
    }

    @Test(arguments: Way.allCases) func timeOuts(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path, [IPN_SO_MSGPOOLSIZE: 1, IPN_SO_FLAGS: Int(IPN_FLAG_LOSSLESS)])
        try party.joins(1, path)
        try party.does("timeout 1 r 50")
        try party.does("timeout 0 s 50")
        for (line, setup) in [("recv 1 - 10", ""), ("send 0 - y", "send 0 d x")] {
            if !setup.isEmpty { try party.does(setup) }
            let clock = ContinuousClock()
            let start = clock.now
            #expect(try party(line) == "EAGAIN", "\(line)")
            #expect(clock.now - start >= .milliseconds(50), "\(line)")
        }
    }

    @Test(arguments: Way.allCases) func aSenderSleepsUntilThereIsRoom(way: Way) throws {
        let (party, reader) = (try Party(way), try Party(way))
        try party.makes(0, path, [IPN_SO_MSGPOOLSIZE: 2, IPN_SO_FLAGS: Int(IPN_FLAG_LOSSLESS)])
        try reader.joins(0, path)
        try party.does("send 0 - a")
        try party.does("send 0 - b")
        try party.sleeps("send 0 - c")
        #expect(try reader("recv 0 - 10") == "ok 1 a")
        #expect(try party.answer() == "ok 1")
        try party.sleeps("send 0 - d")
        try reader.does("shutdown 0 0")
        #expect(try party.answer() == "ok 1", "shutting down gives room too")
    }
}
