import CIPN
import Glibc
import Testing
import TestSupport

/// SPEC 4: out of band.
@Suite struct OutOfBandTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    private func listener(_ party: Party, _ slot: Int, directions shut: Int? = nil) throws {
        try party.does("socket \(slot) 34 3 1")
        try party.does("set \(slot) 0 \(IPN_SO_HANDLE_OOB) 1")
        try party.does("set \(slot) 0 \(IPN_SO_WANT_OOB_NUMNODES) 1")
        if let shut { try party.does("shutdown \(slot) \(shut)") }
        try party.does("connect \(slot) \(path)")
    }

    private func news(_ readers: Int, _ writers: Int) -> String { "ok 16 oob 0:0 \(readers)/\(writers)" }

    @Test(arguments: Way.allCases) func everyChangeIsTold(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        try listener(party, 1)
        #expect(try party("recvmsg 1 - 100") == news(2, 2), "the joiner, of itself too")
        let other = try Party(way)
        try other.joins(0, path)
        #expect(try party("recvmsg 1 - 100") == news(3, 3))
        try other.does("shutdown 0 1")
        #expect(try party("recvmsg 1 - 100") == news(3, 2))
        try other.does("shutdown 0 0")
        #expect(try party("recvmsg 1 - 100") == news(2, 2))
        try other.joins(1, path)
        #expect(try party("recvmsg 1 - 100") == news(3, 3))
        try other.does("close 1")
        #expect(try party("recvmsg 1 - 100") == news(2, 2))
        try other.joins(2, path)
        #expect(try party("recvmsg 1 - 100") == news(3, 3))
        other.child.kill()
        #expect(try party("recvmsg 1 - 100") == news(2, 2), "death")
        #expect(try party("recv 0 d 10") == "EAGAIN", "who did not ask is told nothing")
    }

    /// Nor does it hold up the others' news.
    @Test(arguments: Way.allCases) func theLeaverIsNotTold(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        for slot in 1...2 { try listener(party, slot) }
        #expect(try party("recvmsg 1 - 100") == news(3, 3))
        try party.does("close 2")
        #expect(try party("recvmsg 1 - 100") == news(2, 2))
        #expect(try party("recvmsg 2 d 100") == (way == .swift ? "ENOTCONN" : "EBADF"), "neither what it did not fetch nor its leaving")
    }

    @Test(arguments: Way.allCases) func bothOptionsAreNeeded(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        for (slot, option) in [(1, IPN_SO_HANDLE_OOB), (2, IPN_SO_WANT_OOB_NUMNODES)] {
            try party.does("socket \(slot) 34 3 1")
            try party.does("set \(slot) 0 \(option) 1")
            try party.does("connect \(slot) \(path)")
            #expect(try party("recvmsg \(slot) d 100") == "EAGAIN")
        }
        try party.does("set 2 0 \(IPN_SO_HANDLE_OOB) 1")
        #expect(try party("recvmsg 2 - 100") == news(3, 3), "set while connected")
        try party.does("set 2 0 \(IPN_SO_HANDLE_OOB) 0")
        try party.joins(3, path)
        #expect(try party("recvmsg 2 d 100") == "EAGAIN")
    }

    @Test(arguments: Way.allCases) func changesCoalesceAndComeBeforeData(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        try listener(party, 1)
        try party.does("recvmsg 1 - 100")
        try party.does("send 0 - data")
        for slot in 2..<7 { try party.joins(slot, path) }
        #expect(try party("recvmsg 1 - 100") == news(7, 7))
        #expect(try party("recvmsg 1 - 100") == "ok 4 data")
        #expect(try party("recvmsg 1 d 100") == "EAGAIN")
    }

    @Test(arguments: Way.allCases) func oneWayNodesAreCountedOnce(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        try listener(party, 1, directions: 1)
        #expect(try party("recvmsg 1 - 100") == news(2, 1), "connected to read only: no writer")
        try listener(party, 2, directions: 0)
        #expect(try party("recvmsg 2 - 100") == news(2, 2), "to write only: no reader, and told all the same")
        #expect(try party("recvmsg 1 - 100") == news(2, 2))
    }

    @Test(arguments: Way.sockets) func cannotBeSent(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        #expect(try party("send 0 o x") == "EOPNOTSUPP")
    }

    /// To who may receive no more, what was last to come are news: without those it is over, for who sleeps and for who polls.
    @Test(arguments: Way.sockets) func whoWantsNewsNoMoreFindsTheEnd(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        try party.joins(1, path)
        for option in [IPN_SO_HANDLE_OOB, IPN_SO_WANT_OOB_NUMNODES] { try party.does("set 1 0 \(option) 1") }
        try party.does("shutdown 1 0")
        try party.does("recvmsg 1 - 100")
        #expect(try party("recv 1 d 10") == "EAGAIN")
        #expect(try party("plainpoll 1 0") == "ok none")
        try party.does("thread recv 1 - 10")
        usleep(20_000)  // either way it must end; asleep is what is meant
        try party.does("set 1 0 \(IPN_SO_HANDLE_OOB) 0")
        #expect(try party("join") == "ok 0")
        #expect(try party("plainpoll 1 -1") == "ok i")
        #expect(try party("recv 1 - 10") == "ok 0")
        // No call in between.
        for option in [IPN_SO_HANDLE_OOB, IPN_SO_WANT_OOB_NUMNODES] { try party.does("set 1 0 \(option) 1") }
        try party.does("recvmsg 1 - 100")
        #expect(try party("recv 1 d 10") == "EAGAIN")
        try party.does("set 1 0 \(IPN_SO_WANT_OOB_NUMNODES) 0")
        #expect(try party("plainpoll 1 -1") == "ok i")
    }
}
