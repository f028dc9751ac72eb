import CIPN
import Glibc
import IPN
import Testing
import TestSupport

/// SPEC 2: every option in every state. A `Node` is told its options when it binds and connects: what concerns the states in
/// which a socket takes them is not about Swift, whose own ranges are in Tests/BusTests.
@Suite struct OptionTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    /// Those that make a network: number, default, a value, values that are none.
    static let founding: [(option: CInt, initial: Int, value: Int, wrong: [Int])] = [
        (IPN_SO_MTU, 1514, 70_000, [0, -1, 1 << 30 + 1]),
        (IPN_SO_NUMNODES, 32, 1000, [0, -1, 65_536]),
        (IPN_SO_MSGPOOLSIZE, 8, 77, [0, -1, 65_537]),
        (IPN_SO_FLAGS, 0, 1, [2, -1]),
        (IPN_SO_MODE, 0o777, 0o750, [-1, 0o10000]),
        (IPN_SO_HISTORY, 0, 5, [-1, 65_537]),
    ]

    @Test(arguments: Way.sockets) func beforeBindTheyAreSetAfterItTheyAreTheNetworks(way: Way) throws {
        let party = try Party(way)
        try party.does("umask 0")
        try party.does("socket 0 34 3 1")
        for (option, initial, value, wrong) in Self.founding {
            #expect(try party("get 0 0 \(option) 4") == "ok \(initial)", "\(option)")
            for value in wrong { #expect(try party("set 0 0 \(option) \(value)") == "EINVAL", "\(option) \(value)") }
            #expect(try party("set 0 0 \(option) \(value)") == "ok", "\(option)")
            #expect(try party("get 0 0 \(option) 4") == "ok \(value)", "\(option)")
        }
        func expectAll(_ slot: Int, _ state: String) throws {
            for (option, _, value, _) in Self.founding {
                #expect(try party("get \(slot) 0 \(option) 4") == "ok \(value)", "\(option) \(state)")
                #expect(try party("set \(slot) 0 \(option) \(value)") == "EISCONN", "\(option) \(state)")
            }
        }
        try party.does("bind 0 \(path)")
        try expectAll(0, "bound")
        try party.does("connect 0 -")
        try expectAll(0, "connected")
        // One who set something else before it joined has what the network has.
        try party.does("socket 1 34 3 1")
        try party.does("set 1 0 \(IPN_SO_MTU) 5")
        try party.does("connect 1 \(path)")
        try expectAll(1, "joined")
    }

    @Test(arguments: Way.allCases) func theEdgesOfTheRanges(way: Way) throws {
        let party = try Party(way)
        for (option, values) in [
            (IPN_SO_MTU, [1, 1 << 30]), (IPN_SO_NUMNODES, [1, 2, 32, 1000, 65_535]), (IPN_SO_MSGPOOLSIZE, [1, 65_536]),
            (IPN_SO_HISTORY, [0, 65_536]),
        ] {
            for value in values {
                try party.makes(0, path, [option: value])
                #expect(try party("get 0 0 \(option) 4") == "ok \(value)")
                #expect(try party("send 0 - x") == "ok 1")
                try party.does("close 0")
                try eventually("it ends") { !exists(path) }
            }
        }
        // Both at their upper edges are more than a process has addresses for: that is said at once, not by each send.
        try party.does("socket 0 34 3 1")
        for option in [IPN_SO_MTU: 1 << 30, IPN_SO_MSGPOOLSIZE: 65_536] { try party.does("set 0 0 \(option.key) \(option.value)") }
        #expect(try party("bind 0 \(path)") == "EINVAL")
        #expect(!exists(path))
    }

    @Test(arguments: Way.allCases) func ports(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path, [IPN_SO_NUMNODES: 4])
        #expect(try party("get 0 0 \(IPN_SO_PORT) 4") == "ok 0")
        if way != .swift { #expect(try party("set 0 0 \(IPN_SO_PORT) 3") == "EISCONN") }
        try party.does("socket 1 34 3 1")
        #expect(try party("get 1 0 \(IPN_SO_PORT) 4") == "ok -1")
        try party.does("set 1 0 \(IPN_SO_PORT) 2")
        #expect(try party("get 1 0 \(IPN_SO_PORT) 4") == "ok 2")
        try party.does("connect 1 \(path)")
        try party.joins(2, path)
        #expect(try party("get 2 0 \(IPN_SO_PORT) 4") == "ok 1", "the lowest that is free")
        try party.does("socket 3 34 3 1")
        try party.does("set 3 0 \(IPN_SO_PORT) 2")
        #expect(try party("connect 3 \(path)") == "EADDRNOTAVAIL", "taken")
        try party.does("set 3 0 \(IPN_SO_PORT) -1")
        #expect(try party("connect 3 \(path)") == "ok")
        #expect(try party("get 3 0 \(IPN_SO_PORT) 4") == "ok 3")
        try party.does("socket 4 34 3 1")
        #expect(try party("connect 4 \(path)") == "EADDRNOTAVAIL", "full")
        try party.does("close 1")
        try party.comes(to: "connect 4 \(path)", "ok")
        #expect(try party("get 4 0 \(IPN_SO_PORT) 4") == "ok 2")
    }

    @Test(arguments: Way.allCases) func theNumberOfNodesChangesWhileBound(way: Way) throws {
        let party = try Party(way)
        try party.does("socket 0 34 3 1")
        #expect(try party("set 0 0 \(IPN_SO_CHANGE_NUMNODES) 5") == "ENOTCONN")
        try party.does("set 0 0 \(IPN_SO_NUMNODES) 2")
        try party.does("bind 0 \(path)")
        try party.joins(1, path)
        try party.joins(2, path)
        #expect(try party("set 1 0 \(IPN_SO_CHANGE_NUMNODES) 5") == "ENOTCONN", "connected only")
        try party.does("socket 3 34 3 1")
        #expect(try party("connect 3 \(path)") == "EADDRNOTAVAIL")
        for value in [0, -1, 65_536] { #expect(try party("set 0 0 \(IPN_SO_CHANGE_NUMNODES) \(value)") == "EINVAL") }
        #expect(try party("set 0 0 \(IPN_SO_CHANGE_NUMNODES) 3") == "ok")
        #expect(try party("connect 3 \(path)") == "ok")
        #expect(try party("set 0 0 \(IPN_SO_CHANGE_NUMNODES) 2") == "EADDRINUSE")
        #expect(try party("get 0 0 \(IPN_SO_NUMNODES) 4") == "ok 3")
        #expect(try party("get 1 0 \(IPN_SO_NUMNODES) 4") == "ok 3", "everybody's")
        try party.does("close 3")
        try party.comes(to: "set 0 0 \(IPN_SO_CHANGE_NUMNODES) 2", "ok")
    }

    @Test(arguments: Way.sockets) func descriptionsInEveryState(way: Way) throws {
        let party = try Party(way)
        try party.does("socket 0 34 3 1")
        let longest = String(repeating: "d", count: 128)
        #expect(try party("get 0 0 \(IPN_SO_DESCR) 200") == "ok")
        for (step, text) in [("", "before"), ("bind 0 \(path)", "bound"), ("connect 0 -", longest)] {
            if !step.isEmpty { try party.does(step) }
            #expect(try party("set 0 0 \(IPN_SO_DESCR) s:\(text)") == "ok", "\(step)")
            #expect(try party("get 0 0 \(IPN_SO_DESCR) 200") == "ok \(text)", "\(step)")
        }
        #expect(try party("set 0 0 \(IPN_SO_DESCR) s:\(longest)x") == "EINVAL")
        #expect(try party("get 0 0 \(IPN_SO_DESCR) 200") == "ok \(longest)")
    }

    /// 128 of them, in whatever code; a bind or connect that tells the keeper of them is whole.
    @Test(arguments: Way.sockets) func descriptionsAreBytes(way: Way) throws {
        let party = try Party(way)
        func shown(_ count: Int) -> String { "ok " + String(repeating: "\u{fffd}", count: count) }
        try party.does("socket 0 34 3 1")
        try party.does("set 0 0 \(IPN_SO_DESCR) x:128")
        #expect(try party("bind 0 \(path)") == "ok")
        #expect(try party("connect 0 -") == "ok")
        #expect(try party("get 0 0 \(IPN_SO_DESCR) 200") == shown(128))
        #expect(try party("forked get 0 0 \(IPN_SO_DESCR) 200") == shown(128), "as the keeper has it")
        try party.does("socket 1 34 3 1")
        try party.does("set 1 0 \(IPN_SO_DESCR) x:64")
        #expect(try party("connect 1 \(path)") == "ok")
        #expect(try party("set 1 0 \(IPN_SO_DESCR) x:43") == "ok")
        #expect(try NetworkStatus(of: path).nodes.map(\.description.count) == [128, 43])
        #expect(try party("set 1 0 \(IPN_SO_DESCR) x:129") == "EINVAL")
        #expect(try party("set 1 0 \(IPN_SO_DESCR) null") == "ok", "nothing at all clears it")
        #expect(try party("get 1 0 \(IPN_SO_DESCR) 200") == "ok")
    }

    @Test(arguments: Way.sockets) func outOfBandOptionsAreSetInAnyState(way: Way) throws {
        let party = try Party(way)
        try party.does("socket 0 34 3 1")
        for step in ["", "bind 0 \(path)", "connect 0 -"] {
            if !step.isEmpty { try party.does(step) }
            for option in [IPN_SO_HANDLE_OOB, IPN_SO_WANT_OOB_NUMNODES] {
                for value in [1, 0] {
                    #expect(try party("set 0 0 \(option) \(value)") == "ok", "\(step)")
                    #expect(try party("get 0 0 \(option) 4") == "ok \(value)", "\(step)")
                }
            }
        }
    }

    @Test(arguments: Way.sockets) func shortBuffersAndUnknownOptions(way: Way) throws {
        let party = try Party(way)
        try party.does("socket 0 34 3 1")
        for step in ["", "bind 0 \(path)", "connect 0 -"] {
            if !step.isEmpty { try party.does(step) }
            for option in [IPN_SO_PORT, IPN_SO_HANDLE_OOB, IPN_SO_MTU, IPN_SO_MODE, IPN_SO_HISTORY] {
                #expect(try party("get 0 0 \(option) 3") == "EINVAL", "\(option)")
                #expect(try party("set 0 0 \(option) b:3") == "EINVAL", "\(option)")
            }
            for option in [IPN_SO_TAG, IPN_SO_LOST] { #expect(try party("get 0 0 \(option) 4") == "EINVAL", "\(option)") }
            for option in [5, 0x7f, 0x85, 0xff, 0x1ff, -1] {
                #expect(try party("get 0 0 \(option) 4") == "ENOPROTOOPT", "\(option)")
                #expect(try party("set 0 0 \(option) 1") == "ENOPROTOOPT", "\(option)")
            }
            #expect(try party("get 0 77 0 4") == "ENOPROTOOPT")
            #expect(try party("set 0 77 0 1") == "ENOPROTOOPT")
        }
    }

    @Test(arguments: Way.sockets) func whatEverySocketHas(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        #expect(try party("get 0 1 3 4") == "ok 3", "SO_TYPE: SOCK_RAW")
        #expect(try party("get 0 1 39 4") == "ok 34", "SO_DOMAIN: AF_IPN")
        #expect(try party("get 0 1 38 4") == "ok 1", "SO_PROTOCOL: IPN_BROADCAST")
        #expect(try party("get 0 1 4 4") == "ok 0", "SO_ERROR")
        #expect(try party("set 0 1 8 100000") == "ok", "SO_RCVBUF")
        // A filter would keep what wakes it from arriving; and many are on the other side.
        for filter in [26, 27, 44, 50] { #expect(try party("set 0 1 \(filter) 1") == "EPERM", "\(filter)") }
        for peer in [17, 28, 31, 59, 77] { #expect(try party("get 0 1 \(peer) 100") == "EOPNOTSUPP", "\(peer)") }
    }

    @Test(arguments: Way.allCases) func theModeIsLessTheUmask(way: Way) throws {
        let party = try Party(way)
        try party.does("umask 027")
        try party.makes(0, path, [IPN_SO_MODE: 0o775])
        #expect(try FileMode.of(path) == 0o750)
        if way != .swift { #expect(try party("get 0 0 \(IPN_SO_MODE) 4") == "ok \(0o750)") }
        #expect(try party("get 0 0 \(IPN_SO_FLAGS) 4") == "ok 0")
    }

    /// Not that of what is at its old path now.
    @Test(arguments: Way.sockets) func theModeIsReadWhereverTheFileIs(way: Way) throws {
        let party = try Party(way)
        try party.does("chdir \(scratch.path)")
        try party.makes(0, "net")
        chmod(path, 0o711)
        rename(path, scratch("moved"))
        #expect(try party("get 0 0 \(IPN_SO_MODE) 4") == "ok \(0o711)")
        try party.makes(1, "net", [IPN_SO_MODE: 0o700])
        #expect(try party("get 0 0 \(IPN_SO_MODE) 4") == "ok \(0o711)")
        try party.does("chdir /")
        #expect(try party("get 1 0 \(IPN_SO_MODE) 4") == "ok \(0o700)")
    }

    @Test(arguments: Way.allCases) func aNetworkThatPersists(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path, [IPN_SO_PERSIST: 1])
        try party.does("close 0")
        #expect(exists(path))
        try party.does("socket 1 34 3 1")
        #expect(try party("bind 1 \(path)") == "ok")
        #expect(try party("get 1 0 \(IPN_SO_PERSIST) 4") == "ok 1")
        #expect(try party("set 1 0 \(IPN_SO_PERSIST) 0") == "ok")
        try party.does("close 1")
        try eventually("it ends") { !exists(path) }
    }

    @Test(arguments: Way.allCases) func windows(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        try party.does("socket 1 34 3 1")
        if way != .swift { #expect(try party("set 1 0 \(IPN_SO_WINDOW) 0") == "EINVAL") }
        try party.does("set 1 0 \(IPN_SO_WINDOW) 2")
        try party.does("connect 1 \(path)")
        try party.joins(2, path)
        for number in 0..<8 { try party.does("send 0 - \(number)") }
        #expect(try party("recv 1 - 10") == "ok 1 6")
        #expect(try party("recv 2 - 10") == "ok 1 0", "another's window is its own")
        if way != .swift { #expect(try party("set 1 0 \(IPN_SO_WINDOW) 3") == "EISCONN") }
    }

    @Test(arguments: Way.allCases) func historyForWhoAsks(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path, [IPN_SO_HISTORY: 3])
        for number in 0..<5 { try party.does("send 0 - \(number)") }
        try party.joins(1, path)
        #expect(try party("recv 1 d 10") == "EAGAIN")
        try party.does("socket 2 34 3 1")
        try party.does("set 2 0 \(IPN_SO_REPLAY) 1")
        try party.does("connect 2 \(path)")
        for number in 2..<5 { #expect(try party("recv 2 d 10") == "ok 1 \(number)") }
        #expect(try party("recv 2 d 10") == "EAGAIN")
    }

    /// All of what was kept, be it more than a receiver may have pending; once that was read, no more than everybody.
    @Test(arguments: Way.allCases) func whatIsReplayedIsOnTopOfThePoolOnce(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path, [IPN_SO_HISTORY: 6, IPN_SO_MSGPOOLSIZE: 4])
        for number in 0..<10 { try party.does("send 0 - \(number)") }
        try party.does("socket 1 34 3 1")
        try party.does("set 1 0 \(IPN_SO_REPLAY) 1")
        try party.does("connect 1 \(path)")
        for number in 4..<10 { #expect(try party("recv 1 d 10") == "ok 1 \(number)") }
        for _ in 0..<2 {
            for number in 0..<10 { try party.does("send 0 - \(number)") }
            for number in 6..<10 { #expect(try party("recv 1 d 10") == "ok 1 \(number)") }
            #expect(try party("recv 1 d 10") == "EAGAIN")
        }
    }
}
