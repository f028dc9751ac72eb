import CIPN
import Glibc
import Testing
import TestSupport

/// What dup, fork, exec and passing over a Unix socket mean.
@Suite struct InheritanceTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    @Test(arguments: Way.sockets) func aDuplicateIsTheSameSocket(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        try party.joins(1, path)
        try party.does("dup 0 2")
        try party.does("close 0")
        #expect(try party("send 2 - x") == "ok 1", "the socket leaves with its last number")
        #expect(try party("recv 1 - 10") == "ok 1 x")
        try party.does("close 2")
        #expect(try party("get 1 0 \(IPN_SO_PORT) 4") == "ok 1")
    }

    @Test(arguments: Way.sockets) func aForkedChildIsANodeOfItsOwn(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        try party.joins(1, path)
        #expect(try party("forked send 0 - from the child") == "ok 14")
        #expect(try party("recv 1 - 100") == "ok 14 from the child")
        #expect(try party("recv 0 - 100") == "ok 14 from the child", "another sender than its parent")
        try party.does("send 0 - still there")
        #expect(try party("recv 1 - 100") == "ok 11 still there")
    }

    /// To it, as to its parent, this is no network that it was refused.
    @Test(arguments: Way.sockets) func aForkedChildFindsBothSidesShutDown(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        try party.joins(1, path)
        try party.does("shutdown 1 2")
        #expect(try party("forked recv 1 d 10") == "ok 0")
        #expect(try party("forked send 1 - x") == "EPIPE")
        #expect(try party("forked get 1 0 \(IPN_SO_MTU) 4") == "ok 1514")
        #expect(try party("forked poll 1 io -1") == "ok io")
        try party.does("exec 1")
        #expect(try party("recv 1 d 10") == "ok 0")
        #expect(try party("send 1 - x") == "EPIPE")
    }

    /// Also by one that has nothing else to do there.
    @Test(arguments: Way.sockets, [false, true]) func newsWakeWhoInheritedTheSocket(way: Way, isShutDown: Bool) throws {
        let party = try Party(way)
        try party.makes(0, path)
        try party.joins(1, path)
        for option in [IPN_SO_HANDLE_OOB, IPN_SO_WANT_OOB_NUMNODES] { try party.does("set 1 0 \(option) 1") }
        if isShutDown { try party.does("shutdown 1 2") }
        let counts = isShutDown ? "1/1" : "2/2"
        #expect(try party("forked recvmsg 1 d 100").hasPrefix("ok 16 oob"))
        try party.does("exec 1")
        try party.comes(to: "recvmsg 1 - 100", "ok 16 oob 0:0 \(counts)")
        try party.sleeps("recvmsg 1 - 100")
        try Party(way).joins(0, path)
        #expect(try party.answer().hasPrefix("ok 16 oob"))
    }

    @Test(arguments: Way.sockets) func aSocketOutlivesExec(way: Way) throws {
        let (party, other) = (try Party(way), try Party(way))
        try other.makes(0, path)
        try party.joins(3, path)
        try other.does("send 0 - before")
        try party.does("exec 3")
        try other.does("send 0 - after")
        #expect(try party("recv 3 - 10") == "ok 6 before")
        #expect(try party("recv 3 - 10") == "ok 5 after")
        #expect(try party("send 3 - here") == "ok 4")
        #expect(try other("recv 0 - 10") == "ok 4 here")
        #expect(try party("name 3") == "ok \(path)")
    }

    /// Its name tells of the keeper that was there when it was made: the next may be another user's, and elsewhere.
    @Test(.enabled(if: isRoot, "only root can be two users"), arguments: Way.sockets)
    func aSocketOutlivesExecAndItsKeepersDoor(way: Way) throws {
        chmod(scratch.path, 0o777)
        let (party, root) = (try Party(way, user: User.other), try Party(way))
        try party.makes(0, path)
        try party.joins(3, path)
        try root.joins(1, path)
        // Stopped, it makes no other keeper.
        party.child.stop()
        let old = try KeeperProcess(of: path)
        try old.kill()
        try eventually("root's keeper") { (try? KeeperProcess(of: path).rendezvous.contains("/.ipn-0/")) == true }
        #expect(!exists(old.rendezvous))
        party.child.resume()
        try root.does("send 1 - before")
        #expect(try party("recv 0 - 10") == "ok 6 before")
        try party.does("exec 3")
        try root.does("send 1 - after")
        for text in ["before", "after"] { #expect(try party("recv 3 - 10") == "ok \(text.count) \(text)") }
    }

    @Test(arguments: Way.sockets) func aSocketComesOverAnother(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        try party.joins(1, path)
        try party.does("pass 1 2")
        try party.does("send 0 - x")
        #expect(try party("recv 2 - 10") == "ok 1 x")
        try party.does("close 1")
        #expect(try party("send 2 - y") == "ok 1")
        #expect(try party("recv 0 - 10") == "ok 1 y")
    }
}
