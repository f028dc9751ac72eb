import CIPN
import Glibc
import Testing
import TestSupport

/// SPEC 1: socket, bind, connect, shutdown, names, in every state.
@Suite struct SocketTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    @Test func familiesTypesAndProtocols() throws {
        let party = try Party(.library)
        for family in [34, 33, 13] { #expect(try party("socket 0 \(family) 3 1") == "ok") }
        #expect(try party("socket 0 35 3 1") == "EAFNOSUPPORT")
        for type in [1, 2, 5] { #expect(try party("socket 0 34 \(type) 1") == "EPROTOTYPE") }
        for number in [2, 3, 4, 77, -1] { #expect(try party("socket 0 34 3 \(number)") == "EPROTONOSUPPORT") }
        #expect(try party("socket 0 34 3 0") == "ok")
    }

    @Test func thePreloadTakesRawSocketsOfOursAlone() throws {
        let party = try Party(.preload)
        for family in [34, 33, 13] { #expect(try party("socket 0 \(family) 3 1") == "ok") }
        // The kernel's own answers, as without the preload.
        let plain = try Child(Child.built("PartyByPreload"), [])
        for line in ["socket 1 34 2 1", "socket 1 33 2 2", "socket 1 13 5 0", "socket 1 34 3 77", "socket 1 2 3 255", "socket 1 1 1 0"] {
            try plain.write(line + "\n")
            #expect(try party(line) == plain.line(), "\(line)")
        }
        #expect(try party("socket 1 34 3 2") == "EPROTONOSUPPORT")
    }

    @Test func thereAreNoServers() throws {
        let party = try Party(.preload)
        try party.makes(0, path)
        #expect(try party("listen 0") == "EOPNOTSUPP")
        #expect(try party("accept 0") == "EOPNOTSUPP")
        #expect(try party("socketpair") == "EOPNOTSUPP")
    }

    @Test(arguments: Way.allCases) func bindMakesAndConnectJoins(way: Way) throws {
        let party = try Party(way)
        try party.does("socket 0 34 3 1")
        #expect(try party("connect 0 \(path)") == "ENOENT")
        #expect(try party("bind 0 \(path)") == "ok")
        #expect(try party("bind 0 \(path)") == "EISCONN")
        #expect(try party("bind 0 \(path)2") == "EISCONN")
        #expect(try party("connect 0 \(path)2") == "EINVAL")
        #expect(try party("connect 0 -") == "ok")
        #expect(try party("connect 0 -") == "EISCONN")
        #expect(try party("bind 0 \(path)") == "EISCONN")
        try party.does("socket 1 34 3 1")
        #expect(try party("connect 1 \(path)") == "ok")
        #expect(try party("bind 1 \(path)") == "EISCONN")
        try party.does("socket 2 34 3 1")
        try party.does("bind 2 \(path)")
        #expect(try party("connect 2 \(path)") == "ok", "the same address again")
    }

    /// In no code: two that would be shown alike are two.
    @Test(arguments: Way.sockets) func aPathIsBytes(way: Way) throws {
        let party = try Party(way)
        let paths = ["\(path)\\xe9", "\(path)\\xc3", "\(path)\\xc3\\xa9"]
        for (slot, path) in paths.enumerated() {
            try party.makes(slot, path)
            try party.joins(slot + 10, path)
            #expect(try party("name \(slot)") == "ok \(path)")
            #expect(try party("peer \(slot + 10)") == "ok \(path)")
        }
        for slot in paths.indices { try party.does("send \(slot) - to\(slot)") }
        for slot in paths.indices { #expect(try party("recv \(slot + 10) - 10") == "ok 3 to\(slot)") }
        #expect(scratch.contents.count == paths.count && scratch.contents.contains("neté"))
        try party.does("socket 20 34 3 1")
        #expect(try party("connect 20 \(path)\\xff") == "ENOENT")
        #expect(try party("bind 20 \(scratch.path)/\\xff/net") == "ENOENT")
        for slot in paths.indices { try party.does("close \(slot)") }
        for slot in paths.indices { try party.does("close \(slot + 10)") }
        try eventually("the files go with them") { scratch.contents.isEmpty }
    }

    /// What a crash of everybody leaves, too.
    @Test(arguments: Way.sockets) func aPathOfAnyBytesIsTakenOver(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, "\(path)\\xe9")
        let name = Array(path.utf8CString.dropLast()) + [CChar(bitPattern: 0xe9), 0]
        #expect(link(name, scratch("link")) == 0)
        let keeper = try KeeperProcess(of: scratch("link"))
        party.child.stop()
        try keeper.kill()
        party.child.kill()
        let next = try Party(way)
        try next.makes(0, "\(path)\\xe9")
        try next.joins(1, "\(path)\\xe9")
        try next.does("send 0 - x")
        #expect(try next("recv 1 - 10") == "ok 1 x")
    }

    /// The same words may lead elsewhere after a chdir, and others to the same file.
    @Test(arguments: Way.sockets) func anAddressIsTheFileThatItLeadsTo(way: Way) throws {
        let party = try Party(way)
        for folder in ["a", "b"] { mkdir(scratch(folder), 0o755) }
        try party.does("chdir \(scratch("a"))")
        try party.does("socket 0 34 3 1")
        try party.does("bind 0 net")
        try party.does("chdir \(scratch("b"))")
        try party.makes(1, "net")
        #expect(try party("connect 0 net") == "EINVAL")
        #expect(try party("connect 0 ../a/net") == "ok")
    }

    @Test(arguments: Way.allCases) func connectWithoutAnAddressNeedsABind(way: Way) throws {
        let party = try Party(way)
        try party.does("socket 0 34 3 1")
        #expect(try party("connect 0 -") == "EDESTADDRREQ")
    }

    @Test(arguments: Way.sockets) func protocolsMustMeet(way: Way) throws {
        let party = try Party(way)
        try party.does("socket 0 34 3 0")
        #expect(try party("bind 0 \(path)") == "EPROTO", "any protocol makes no network")
        #expect(scratch.contents.isEmpty)
        try party.makes(1, path)
        #expect(try party("bind 0 \(path)") == "ok")
        #expect(try party("connect 0 -") == "ok")
        try party.does("socket 2 34 3 0")
        #expect(try party("connect 2 \(path)") == "ok")
        #expect(try party("get 2 0 \(IPN_SO_PROTOCOL) 4") == "ok 1")
    }

    @Test(arguments: Way.allCases) func whatIsNoNetworkRefuses(way: Way) throws {
        let party = try Party(way)
        try party.does("socket 0 34 3 1")
        let file = open(scratch("file"), O_CREAT | O_WRONLY, 0o644)
        close(file)
        let listener = try Listener(scratch("foreign"))
        for name in ["file", "foreign"] {
            #expect(try party("bind 0 \(scratch(name))") == "ECONNREFUSED", "\(name)")
            #expect(try party("connect 0 \(scratch(name))") == "ECONNREFUSED", "\(name)")
        }
        #expect(try party("bind 0 \(scratch("none"))/net") == "ENOENT")
        #expect(try party("bind 0 \(scratch("file"))/net") == "ENOTDIR")
        #expect(try party("connect 0 \(scratch("file"))/net") == "ENOTDIR")
        _ = listener
    }

    @Test(arguments: Way.allCases) func shutdownIsLegalInEveryStateAndForGood(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        for (slot, how) in [(1, 0), (2, 1)] {
            try party.does("socket \(slot) 34 3 1")
            #expect(try party("shutdown \(slot) \(how)") == "ok")
            try party.does("connect \(slot) \(path)")
        }
        #expect(try party("send 1 - w") == "ok 1")
        #expect(try party("recv 1 d 10") == "ok 0")
        #expect(try party("send 2 - r") == "EPIPE")
        #expect(try party("recv 2 - 10") == "ok 1 w")
        #expect(try party("recv 0 - 10") == "ok 1 w")
        // Connected; both at once, and again.
        #expect(try party("shutdown 0 2") == "ok")
        #expect(try party("shutdown 0 0") == "ok")
        #expect(try party("send 0 - x") == "EPIPE")
        #expect(try party("recv 0 - 10") == "ok 0")
        #expect(try party("shutdown 0 7") == "EINVAL")
        // Nothing is left.
        try party.does("socket 3 34 3 1")
        try party.does("shutdown 3 2")
        #expect(try party("connect 3 \(path)") == "EACCES")
    }

    @Test(arguments: Way.allCases) func shuttingDownFlushesAndWakes(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        try party.joins(1, path)
        try party.does("send 0 - pending")
        try party.does("shutdown 1 0")
        #expect(try party("recv 1 - 10") == "ok 0", "what was pending is gone")
        try party.joins(2, path)
        try party.does("thread recv 2 - 10")
        usleep(20_000)  // either way it must end; asleep is what is meant
        try party.does("shutdown 2 0")
        #expect(try party("join") == "ok 0")
    }

    @Test(arguments: Way.sockets) func names(way: Way) throws {
        let party = try Party(way)
        try party.does("socket 0 34 3 1")
        #expect(try party("name 0") == "ok nothing")
        #expect(try party("peer 0") == "ENOTCONN")
        try party.does("bind 0 \(path)")
        #expect(try party("name 0") == "ok \(path)")
        try party.does("connect 0 -")
        #expect(try party("name 0") == "ok \(path)")
        #expect(try party("peer 0") == "ok \(path)")
        try party.does("close 0")
        #expect(try party("name 0") == "EBADF")
    }

    @Test(arguments: Way.allCases) func whatNeedsAConnectionSaysSo(way: Way) throws {
        let party = try Party(way)
        try party.does("socket 0 34 3 1")
        for line in ["send 0 - x", "recv 0 d 10"] { #expect(try party(line) == "ENOTCONN", "\(line)") }
        try party.does("bind 0 \(path)")
        for line in ["send 0 - x", "recv 0 d 10"] { #expect(try party(line) == "ENOTCONN", "\(line)") }
    }

    @Test(arguments: Way.allCases) func theNetworkLivesWhileAnySocketDoes(way: Way) throws {
        let founder = try Party(way)
        try founder.makes(0, path)
        let other = try Party(way)
        try other.joins(0, path)
        try founder.does("close 0")
        #expect(exists(path))
        try founder.does("socket 1 34 3 1")
        try founder.does("bind 1 \(path)")
        try other.does("close 0")
        #expect(exists(path), "a bound socket keeps it")
        try founder.does("connect 1 -")
        founder.child.kill()
        try eventually("the file goes with the last") { !exists(path) }
    }

    @Test(arguments: Way.allCases) func aLiveNetworkWithoutAKeeperIsInUse(way: Way) throws {
        let member = try Party(way)
        try member.makes(0, path)
        // It must not make a new keeper yet.
        member.child.stop()
        try KeeperProcess(of: path).kill()
        let (binder, joiner) = (try Party(way), try Party(way))
        for party in [binder, joiner] { try party.does("socket 0 34 3 1") }
        try binder.tell("bind 0 \(path)")
        try joiner.tell("connect 0 \(path)")
        for party in [binder, joiner] { #expect(try party.answer() == "EADDRINUSE") }
        member.child.resume()
        // The same network, not a second one.
        try binder.comes(to: "bind 0 \(path)", "ok")
        try binder.does("connect 0 -")
        try member.does("send 0 - still here")
        #expect(try binder("recv 0 - 20") == "ok 10 still here")
    }

    @Test(arguments: Way.allCases) func whatACrashLeavesIsTakenOver(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        chmod(path, 0o751)
        // It must not make a new keeper first.
        party.child.stop()
        try KeeperProcess(of: path).kill()
        party.child.kill()
        #expect(exists(path))
        let next = try Party(way)
        try next.does("socket 0 34 3 1")
        #expect(try next("connect 0 \(path)") == "ECONNREFUSED")
        #expect(try next("bind 0 \(path)") == "ok")
        #expect(try FileMode.of(path) == 0o751)
    }
}

/// Another program's socket.
private final class Listener {
    private let descriptor: CInt

    init(_ path: String) throws {
        descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        guard bound == 0, listen(descriptor, 1) == 0 else { throw Trouble("listen") }
    }

    deinit { close(descriptor) }
}

enum FileMode {
    static func of(_ path: String) throws -> UInt32 {
        var status = stat()
        guard lstat(path, &status) == 0 else { throw Trouble("no \(path)") }
        return status.st_mode & 0o7777
    }
}
