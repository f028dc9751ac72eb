import Glibc
import Testing
import TestSupport

/// What goes wrong is one line on standard error, and a status that says which kind it was.
@Suite struct ComplaintTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    private func expectOneLine(
        _ arguments: [String], status: CInt, naming word: String, input: String = "", user: UInt32? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let result = try Tool.run(arguments, input: input, user: user)
        #expect(result.status == status, "\(arguments): \(result.errors)", sourceLocation: sourceLocation)
        #expect(
            result.complaints.count == 1 && result.errors.hasPrefix("ipn: ") && result.errors.hasSuffix("\n"),
            "\(arguments): \(result.errors)", sourceLocation: sourceLocation)
        #expect(result.errors.contains(word), "\(arguments): \(result.errors)", sourceLocation: sourceLocation)
        #expect(result.output.isEmpty, sourceLocation: sourceLocation)
    }

    static let users = [["show"], ["send"], ["receive"], ["remove"]]

    @Test(arguments: users + [["play"], ["pipe"], ["serve"]]) func noNetwork(command: [String]) throws {
        try expectOneLine(command + [path], status: 3, naming: path)
        try expectOneLine(command + [scratch("no/where")], status: 3, naming: "no/where")
        // What makes one has looked for none.
        try expectOneLine(["create", scratch("no/where")], status: 1, naming: "folder")
        #expect(scratch.contents.isEmpty)
    }

    @Test(arguments: users + [["create"]]) func anEmptyPath(command: [String]) throws {
        try expectOneLine(command + [""], status: command == ["create"] ? 1 : 3, naming: "an empty path")
    }

    /// Where the kernel says that the folder is missing, or a right.
    @Test(arguments: ["/proc/ipn-test", "/sys/ipn-test"], [["create"], ["publish", "test:"]])
    func whereNoSocketCanBe(path: String, command: [String]) throws {
        try expectOneLine(command + [path], status: 1, naming: "\(path): no network can be made here")
    }

    @Test func noFolderForDoors() throws {
        let result = try Child.run("/usr/bin/env", ["IPN_RUNTIME_ROOT=\(scratch("none"))", Tool.path, "create", path])
        #expect(result.status == 1 && result.complaints.count == 1, "\(result.errors)")
        #expect(result.errors.hasPrefix("ipn: \(scratch("none")): the folder for keepers' doors does not exist"), "\(result.errors)")
    }

    @Test(arguments: users + [["create"]]) func notANetwork(command: [String]) throws {
        _ = close(creat(scratch("file"), 0o644))
        try expectOneLine(command + [scratch("file")], status: 3, naming: "another kind of file")
        try expectOneLine(command + [scratch.path], status: 3, naming: "another kind of file")
        #expect(scratch.contents == ["file"])
    }

    @Test(arguments: users + [["create"]]) func anotherProgramsLiveSocket(command: [String]) throws {
        let raw = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        defer { _ = close(raw) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(raw, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        try #require(bound == 0 && listen(raw, 1) == 0)
        try expectOneLine(command + [path], status: 3, naming: "\(path): not a network, but another program's socket: take another path")
        #expect(exists(path))
    }

    @Test(.enabled(if: isRoot, "only root can run a program as another user"))
    func noRights() throws {
        try Tool.succeed(["create", path, "--mode", "744"])
        chmod(path, 0o744)
        try expectOneLine(["send", path], status: 4, naming: "no right", input: "x\n", user: stranger)
        try expectOneLine(["remove", path], status: 4, naming: "no right to manage", user: stranger)
        try expectOneLine(["create", path], status: 4, naming: "no right to manage", user: stranger)
        chmod(path, 0o700)
        try expectOneLine(["receive", path], status: 4, naming: "no right", user: stranger)
        try expectOneLine(["create", scratch("theirs")], status: 4, naming: scratch("theirs"), user: stranger)
        chmod(path, 0o722)
        try expectOneLine(["receive", path], status: 4, naming: "no right", user: stranger)
        #expect(scratch.contents == ["net"])
        try Tool.succeed(["remove", path])
    }

    @Test(arguments: [
        ["nonsense"], ["show"], ["create"], ["show", "--nonsense", "x"], ["send", "x", "y"], ["receive", "x", "--count", "many"],
        ["receive", "x", "--count", "-1"], ["receive", "x", "--count"], ["send", "x", "--block", "0"], ["send", "x", "--block", "1X"],
        ["create", "x", "--mtu", "big"], ["create", "x", "--mtu", "-1"], ["create", "x", "--mtu", "1.5K"],
        ["create", "x", "--mtu", "99999999999999999999"], ["create", "x", "--mode", "999"], ["create", "x", "--mode", "1777"],
        ["create", "x", "--pool", "a"],
    ])
    func wrongUsage(arguments: [String]) throws {
        try expectOneLine(arguments, status: 2, naming: "(see ipn \(arguments == ["nonsense"] ? "" : arguments[0] + " ")--help)")
    }

    /// What is asked of a device, and no device can mean.
    @Test(arguments: [
        (["alsa:x", "--rate", "abc"], "--rate abc: not a rate in Hz; such as 48000"), (["alsa:x", "--period", "0"], "--period 0: it is 1 to"),
        (["alsa:x", "--channels", "0"], "--channels 0: it is 1 to"), (["v4l2:x", "--rate", "abc"], "--rate abc: not a rate"),
        (["v4l2:x", "--size", "big"], "--size big: not a size"), (["v4l2:x", "--period", "64"], "--period is for sound"),
        (["alsa:x", "--size", "64x64"], "--size is for cameras"),
    ])
    func wrongDeviceOptions(arguments: [String], says: String) throws {
        try expectOneLine(["publish", arguments[0], path] + arguments[1...], status: 2, naming: says)
        #expect(scratch.contents.isEmpty)
    }

    @Test(.enabled(if: isRoot, "only root can run a program as another user"))
    func noRightToADevice() throws {
        _ = close(creat(scratch("camera"), 0o600))
        try expectOneLine(["control", scratch("camera")], status: 4, naming: "no right to use it", user: stranger)
        try expectOneLine(["publish", "v4l2:" + scratch("camera"), path], status: 4, naming: "no right to use it", user: stranger)
    }

    /// What was meant is guessed, for a command and for the order of words.
    @Test(arguments: [
        (["publsh", "test:"], "publsh: there is no such command; publish is one"),
        (["recorder"], "recorder: there is no such command; record is one"),
        (["nonsense"], "nonsense: there is no such command (see"), (["publish", "net", "test:"], "test:: the network's path comes last"),
        (["publish", "net", "rtsp://127.0.0.1/x"], "rtsp://127.0.0.1/x: the network's path comes last"),
    ])
    func slipsOfTheTongue(arguments: [String], says: String) throws {
        try expectOneLine(arguments, status: 2, naming: says)
    }

    @Test(arguments: [
        ["--mtu", "0"], ["--mtu", "1025M"], ["--pool", "0"], ["--pool", "70000"], ["--nodes", "0"], ["--nodes", "65536"],
        ["--history", "70000"],
    ])
    func valuesOutOfRange(option: [String]) throws {
        try expectOneLine(["create", path] + option, status: 2, naming: option[1] == "1025M" ? "1073741824" : option[1])
        #expect(scratch.contents.isEmpty)
    }

    @Test(arguments: [("--mtu", 1), ("--pool", 1), ("--nodes", 1), ("--history", 0)]) func valuesBelowNothing(option: String, least: Int) throws {
        try expectOneLine(["create", path, option, "-5"], status: 2, naming: "\(option) -5: the value must be \(least) or more")
        #expect(scratch.contents.isEmpty)
    }

    @Test func aLineOverTheMTU() throws {
        try Tool.succeed(["create", path, "--mtu", "5"])
        try expectOneLine(["send", path], status: 1, naming: "MTU", input: "12345\n123456\n")
        try expectOneLine(["send", path, "--block", "6"], status: 1, naming: "MTU", input: "123456")
        try Tool.succeed(["remove", path])
    }

    @Test func aFullNetwork() throws {
        try Tool.succeed(["create", path, "--nodes", "1"])
        let peer = try Peer()
        try peer.expect("connect \(path)")
        try expectOneLine(["receive", path], status: 1, naming: "port")
        try expectOneLine(["send", path], status: 1, naming: "port", input: "x\n")
        peer.kill()
        _ = try Tool.run(["remove", path])
    }

    /// Whoever removed its door, as a cleaner of /tmp might: each command says the same, and what it says helps.
    @Test func aLiveNetworkWithoutADoor() throws {
        try Tool.succeed(["create", path])
        let peer = try Peer()
        try peer.expect("connect \(path)")
        let keeper = try KeeperProcess(of: path)
        unlink(keeper.rendezvous)
        let attempts = try [["show", path], ["create", path], ["receive", path]].map { try Tool.start($0) }
        for attempt in attempts {
            let result = try attempt.finish()
            #expect(result.status == 1 && result.complaints.count == 1, "\(result.errors)")
            #expect(result.errors.contains("the network lives, but its keeper cannot be reached: end its ipnd"), "\(result.errors)")
        }
        try keeper.kill()
        try eventually("another keeper") { try Tool.run(["show", path]).status == 0 }
        try Tool.succeed(["send", path], input: "hello\n")
        #expect(try peer.expect("receive") == "0 0 hello")
        #expect(try Tool.run(["remove", path]).status == 0)
    }

    @Test func aKeeperThatIsKilledUnderAReceiver() throws {
        try Tool.succeed(["create", path])
        let child = try Tool.start(["receive", path])
        let keeper = try KeeperProcess(of: path)
        try eventually("it receives") { try Tool.run(["show", path]).text.contains("ipn receive") }
        try keeper.kill()
        // It makes itself another one, and goes on.
        try Tool.succeed(["send", path], input: "a line\n")
        #expect(try child.line() == "a line")
        child.signal(SIGINT)
        #expect(try child.finish().status == 0)
        try Tool.succeed(["remove", path])
    }
}
