import CIPN
import Glibc
import IPN
import Testing
import TestSupport

/// SPEC 3: poll, select and epoll.
@Suite struct WaitingTests {
    let scratch: Scratch
    let path: String
    static let lossless: [CInt: Int] = [IPN_SO_MSGPOOLSIZE: 2, IPN_SO_FLAGS: Int(IPN_FLAG_LOSSLESS)]

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    @Test(arguments: Way.sockets) func pollSaysWhatThereIs(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        try party.joins(1, path)
        #expect(try party("poll 1 ip 0") == "ok none")
        #expect(try party("poll 1 iop 0") == "ok o", "always room when LOSSY")
        try party.does("send 0 - x")
        #expect(try party("poll 1 ip -1") == "ok i")
        #expect(try party("poll 1 o -1") == "ok o", "only what was asked for")
        try party.does("recv 1 - 10")
        #expect(try party("poll 1 i 0") == "ok none")
        try party.does("set 1 0 \(IPN_SO_HANDLE_OOB) 1")
        try party.does("set 1 0 \(IPN_SO_WANT_OOB_NUMNODES) 1")
        #expect(try party("poll 1 ip -1") == "ok ip")
        #expect(try party("poll 1 i -1") == "ok i")
        try party.does("recvmsg 1 - 100")
        #expect(try party("poll 1 ip 0") == "ok none")
        try party.does("shutdown 1 0")
        try party.does("set 1 0 \(IPN_SO_HANDLE_OOB) 0")
        #expect(try party("poll 1 i -1") == "ok i", "the end of the data")
    }

    @Test(arguments: Way.sockets) func roomWhenLossless(way: Way) throws {
        let (party, reader) = (try Party(way), try Party(way))
        try party.makes(0, path, Self.lossless)
        #expect(try party("poll 0 o 0") == "ok o")
        try reader.joins(0, path)
        for _ in 0..<2 { try party.does("send 0 d x") }
        #expect(try party("poll 0 o 0") == "ok none")
        try party.sleeps("poll 0 o -1")
        try reader.does("recv 0 - 10")
        #expect(try party.answer() == "ok o")
        try party.does("send 0 d y")
        #expect(try party("poll 0 o 50") == "ok none")
    }

    /// What a send would be told at once needs no room.
    @Test(arguments: Way.sockets) func shuttingDownWakesWhoWaitsForRoom(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path, Self.lossless)
        try party.joins(1, path)
        for _ in 0..<2 { try party.does("send 0 d x") }
        try party.does("thread poll 0 o -1")
        usleep(20_000)  // either way it must end; asleep is what is meant
        try party.does("shutdown 0 1")
        #expect(try party("join") == "ok o")
        #expect(try party("poll 0 o -1") == "ok o")
        #expect(try party("send 0 - x") == "EPIPE")
    }

    /// Who may send no more waits for no room, and is not told of it again and again.
    @Test(arguments: Way.sockets) func roomIsNothingToWhoHasShutDown(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path, Self.lossless)
        try party.joins(1, path)
        for _ in 0..<2 { try party.does("send 0 d x") }
        #expect(try party("send 0 d x") == "EAGAIN")
        try party.does("shutdown 0 1")
        for _ in 0..<4 { #expect(try party("recv 0 d 10") == "EAGAIN") }
        #expect(try party("plainpoll 0 0") == "ok none")
        // What comes is told of.
        for _ in 0..<2 { try party.does("recv 1 - 10") }
        try party.does("send 1 - reply")
        #expect(try party("plainpoll 0 -1") == "ok i")
        #expect(try party("recv 0 d 10") == "ok 5 reply")
    }

    /// What lies there and is not asked for wakes nobody, again and again; what comes then does.
    @Test(arguments: Way.sockets) func whatIsNotAskedForLetsSleep(way: Way) throws {
        let (party, reader) = (try Party(way), try Party(way))
        try party.makes(0, path, Self.lossless)
        try reader.joins(0, path)
        try reader.does("send 0 - not asked for")
        try party.does("send 0 d x")
        for line in ["poll 0 o -1", "poll 0 O -1", "select 0 o -1"] where way == .preload || !line.hasPrefix("select") {
            try party.sleeps(line)
            try reader.does("recv 0 - 10")
            #expect(try party.answer().hasPrefix("ok"), "room: \(line)")
            try party.does("send 0 d x")
        }
        // News, on top of more of them than a socket holds strokes.
        for option in [IPN_SO_HANDLE_OOB, IPN_SO_WANT_OOB_NUMNODES] { try party.does("set 0 0 \(option) 1") }
        for slot in 1..<20 {
            try party.does("recvmsg 0 - 100")
            try party.sleeps("poll 0 p -1")
            try reader.joins(slot, path)
            #expect(try party.answer() == "ok p")
        }
        try party.does("recvmsg 0 - 100")
        for events in ["none", "b", "r"] {
            try party.sleeps("poll 0 \(events == "none" ? "-" : events) 300")
            #expect(try party.answer() == "ok none", "\(events)")
        }
        #expect(try party("recv 0 - 20") == "ok 13 not asked for")
    }

    /// As datagram sockets have it.
    @Test(arguments: Way.sockets) func eventsHaveTwoNames(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        try party.joins(1, path)
        #expect(try party("poll 1 Ib 0") == "ok none")
        #expect(try party("poll 1 O -1") == "ok O")
        #expect(try party("poll 1 oOw -1") == "ok oOw")
        try party.does("send 0 - x")
        #expect(try party("poll 1 I -1") == "ok I")
        #expect(try party("poll 1 iIb -1") == "ok iI")
        try party.does("recv 1 - 10")
        try party.does("shutdown 1 0")
        #expect(try party("poll 1 iIr -1") == "ok iIr")
    }

    @Test(arguments: ["I", "Ie", "O", "w", "r"]) func epollHasTheOtherNamesToo(events: String) throws {
        let party = try Party(.preload)
        try party.makes(0, path)
        try party.joins(1, path)
        try party.does("watch 1 \(events)")
        if events.hasPrefix("I") {
            try party.sleeps("await 1 300")
            #expect(try party.answer() == "ok none")
            try party.does("send 0 - x")
        }
        if events == "r" { try party.does("shutdown 1 0") }
        #expect(try party("await 1 -1") == "ok \(events.prefix(1))")
    }

    /// A routed network ends with its keeper; members of any other go on without.
    @Test(arguments: Way.sockets) func hangUpWhenTheNetworkIsGone(way: Way) throws {
        let founder = Node()
        var options = NetworkOptions()
        options.policy = Child.built("libhub.so")
        try founder.bind(path, options: options)
        let party = try Party(way)
        try party.does("socket 0 34 3 0")
        try party.does("connect 0 \(path)")
        try party.sleeps("poll 0 i -1")
        try KeeperProcess(of: path).kill()
        #expect(try party.answer() == "ok ih", "a receive would not wait, but say so")
    }

    /// Under the preload every poll is ours.
    @Test(arguments: [Way.library]) func aPlainPollSaysThatThereIsSomethingToDo(way: Way) throws {
        let (party, other) = (try Party(way), try Party(way))
        try party.makes(0, path)
        try other.joins(0, path)
        #expect(try other("plainpoll 0 0") == "ok none")
        try other.sleeps("plainpoll 0 -1")
        try party.does("send 0 - x")
        #expect(try other.answer() == "ok i")
        try other.does("recv 0 - 10")
        #expect(try other("plainpoll 0 0") == "ok none")
    }

    @Test func selectUnderThePreload() throws {
        let (party, reader) = (try Party(.preload), try Party(.preload))
        try party.makes(0, path, Self.lossless)
        try reader.joins(0, path)
        #expect(try party("select 0 iop 0") == "ok o")
        #expect(try party("select 0 ip 20") == "ok none")
        for _ in 0..<2 { try party.does("send 0 d x") }
        #expect(try party("select 0 o 0") == "ok none")
        try party.sleeps("select 0 o -1")
        #expect(try reader("select 0 i -1") == "ok i")
        try reader.does("recv 0 - 10")
        #expect(try party.answer() == "ok o")
        try party.sleeps("select 0 i -1")
        try reader.does("send 0 - back")
        #expect(try party.answer() == "ok i")
    }

    @Test func epollByLevel() throws {
        let (party, other) = (try Party(.preload), try Party(.preload))
        try party.makes(0, path, Self.lossless)
        try other.joins(0, path)
        try party.does("watch 0 i")
        #expect(try party("await 0 20") == "ok none")
        try party.sleeps("await 0 -1")
        try other.does("send 0 - x")
        #expect(try party.answer() == "ok i")
        #expect(try party("await 0 -1") == "ok i", "as long as it is there")
        try party.does("recv 0 - 10")
        #expect(try party("await 0 20") == "ok none")
        // Room, and nothing but room.
        try party.does("watch 0 o")
        #expect(try party("await 0 -1") == "ok o")
        try other.does("send 0 d not asked for")
        try party.does("send 0 d x")
        #expect(try party("await 0 20") == "ok none")
        try party.sleeps("await 0 -1")
        try other.does("recv 0 - 10")
        #expect(try party.answer() == "ok o")
        try party.does("watch 0 none")
        #expect(try party("await 0 20") == "ok none")
        #expect(try party("watch 0 none") == "ENOENT")
    }

    @Test func epollByEdgeAndOnce() throws {
        let (party, other) = (try Party(.preload), try Party(.preload))
        try party.makes(0, path, Self.lossless)
        try other.joins(0, path)
        try party.does("watch 0 ioe")
        #expect(try party("await 0 -1") == "ok o")
        #expect(try party("await 0 20") == "ok none", "told once")
        try other.does("send 0 - x")
        #expect(try party("await 0 -1") == "ok i")
        #expect(try party("await 0 20") == "ok none")
        try party.does("recv 0 d 10")
        #expect(try party("recv 0 d 10") == "EAGAIN")
        for _ in 0..<2 { try party.does("send 0 d x") }
        #expect(try party("send 0 d x") == "EAGAIN")
        try party.sleeps("await 0 -1")
        try other.does("recv 0 - 10")
        #expect(try party.answer() == "ok o")
        try party.does("watch 0 i1")
        try other.does("send 0 - y")
        #expect(try party("await 0 -1") == "ok i")
        #expect(try party("await 0 20") == "ok none", "until it is armed again")
        try party.does("watch 0 i1")
        #expect(try party("await 0 -1") == "ok i")
    }

    /// As with a datagram socket: whether those before it were read or not.
    @Test func eachMessageIsAnEdge() throws {
        let (party, other) = (try Party(.preload), try Party(.preload))
        try party.makes(0, path)
        try other.joins(0, path)
        try party.does("watch 0 ie")
        for count in 1...20 {
            if count % 2 == 0 { try party.sleeps("await 0 -1") }
            try other.does("send 0 - x")
            let told = count % 2 == 0 ? try party.answer() : try party("await 0 -1")
            #expect(told == "ok i", "message \(count)")
            #expect(try party("await 0 20") == "ok none", "once, message \(count)")
        }
        // A read is none.
        try party.does("recv 0 d 10")
        #expect(try party("await 0 20") == "ok none")
    }

    @Test func whoWasInterruptedMayPoll() throws {
        let (party, other) = (try Party(.library), try Party(.library))
        try party.makes(0, path)
        try other.joins(0, path)
        try party.does("interrupt 20")
        #expect(try party("recv 0 - 10") == "EINTR")
        try party.does("interrupt 0")
        try party.sleeps("plainpoll 0 -1")
        try other.does("send 0 - x")
        #expect(try party.answer() == "ok i")
    }

    @Test func closingEndsAWatch() throws {
        let party = try Party(.preload)
        try party.makes(0, path)
        try party.joins(1, path)
        try party.does("watch 1 i")
        try party.does("send 0 - x")
        try party.does("close 1")
        #expect(try party("await 1 20") == "ok none")
    }
}
