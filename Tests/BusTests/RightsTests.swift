import Glibc
import IPN
import Testing
import TestSupport

/// What the mode bits give to another user. CI runs as root, who alone can become one.
@Suite(.enabled(if: isRoot, "only root can start a process of another user"))
struct RightsTests {
    let scratch: Scratch
    let path: String
    let owner: Node
    let other: Peer

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
        owner = try Node(binding: path)
        other = try Peer(user: stranger)
    }

    @Test(arguments: [(0o777, "rw"), (0o774, "r-"), (0o772, "-w"), (0o776, "rw"), (0o707, "rw")])
    func bitsForOthersDecide(mode: Int, rights: String) throws {
        chmod(path, mode_t(mode))
        #expect(try other.expect("connect \(path)") == "1 \(rights)")
        try owner.send("to you")
        if rights.hasPrefix("r") {
            #expect(try other.ask("receive") == "ok 0 0 to you")
        } else {
            #expect(try other.ask("receive 0").hasPrefix("error \(EACCES) "))
        }
        if rights.hasSuffix("w") {
            try other.expect("send to me")
            #expect(try #require(try owner.receive()).bytes == Array("to me".utf8))
        } else {
            #expect(try other.ask("send x").hasPrefix("error \(EPIPE) "))
            #expect(try owner.receive(timeout: .zero) == nil)
        }
    }

    @Test func withoutAnyBitThereIsNothingToDo() throws {
        chmod(path, 0o770)
        #expect(try other.ask("connect \(path)").hasPrefix("error \(EACCES) "))
        chmod(path, 0o771)
        #expect(try other.ask("connect \(path)").hasPrefix("error \(EACCES) "))
        chmod(path, 0o774)
        #expect(try other.ask("connect \(path) w").hasPrefix("error \(EACCES) "), "asks for what it may not only")
    }

    @Test func bindNeedsTheRightToManage() throws {
        chmod(path, 0o776)
        #expect(try other.ask("bind \(path)").hasPrefix("error \(EPERM) "))
        chmod(path, 0o771)
        #expect(try other.ask("bind \(path)") == "ok joined")
        #expect(try other.ask("limit 40") == "ok")
        #expect(try other.ask("connect -").hasPrefix("error \(EACCES) "))
    }

    @Test func chmodTakesEffectForTheNextAndNotForWhoIsIn() throws {
        chmod(path, 0o777)
        try other.expect("connect \(path)")
        chmod(path, 0o700)
        let late = try Peer(user: stranger)
        #expect(try late.ask("connect \(path)").hasPrefix("error \(EACCES) "))
        try other.expect("send still in")
        #expect(try #require(try owner.receive()).bytes == Array("still in".utf8))
        chmod(path, 0o704)
        #expect(try late.expect("connect \(path)") == "2 r-")
    }

    @Test func chownTakesEffectToo() throws {
        chmod(path, 0o700)
        #expect(try other.ask("connect \(path)").hasPrefix("error \(EACCES) "))
        chown(path, 0, stranger)
        chmod(path, 0o760)
        #expect(try other.expect("connect \(path)") == "1 rw", "by its group")
    }

    @Test func rootNeedsNoReadOrWriteButOneManageBit() throws {
        chmod(path, 0o000)
        let node = try Node(connecting: path)
        #expect(node.directions == .both)
        expect(throws: errno(EPERM)) { try Node().bind(path) }
        chmod(path, 0o001)
        try Node().bind(path)
    }

    @Test func whoCannotReachThePathCannotJoinByItsNumber() throws {
        chmod(path, 0o777)
        chmod(scratch.path, 0o700)
        #expect(try other.ask("connect \(path)").hasPrefix("error \(EACCES) "))
        chmod(scratch.path, 0o755)
        #expect(try other.expect("connect \(path)") == "1 rw")
    }

    @Test func observersHearOnlyWhoIsThere() throws {
        chmod(path, 0o771)
        try other.expect("bind \(path)")
        try other.expect("oob on")
        #expect(try other.expect("connect - none") == "-1 --")
        #expect(try other.ask("receive") == "ok nodes 1 1")
        let reader = try Node(connecting: path, directions: .receive)
        #expect(try other.ask("receive") == "ok nodes 2 1")
        try owner.send("secret")
        #expect(try reader.drain().count == 1)
        #expect(try other.ask("receive 0") == "ok none")
    }

    @Test func aStrangersDirectoryIsNotTakenOver() throws {
        // The network of another user, in a place that is everybody's.
        chmod(scratch.path, 0o1777)
        try other.expect("umask 0")
        try other.expect("bind \(scratch("theirs")) mode=0666")
        #expect(try Node(connecting: scratch("theirs")).directions == .both)
        #expect(try NetworkStatus(of: scratch("theirs")).ownerID == Int(stranger))
        other.kill()
        // Root is not its owner: a file that is left is for its owner to take over.
        try eventually("the keeper of the dead has left") { !exists(scratch("theirs")) }
    }
}
