import CLinux
import Glibc
import IPN
import IPNControl
import Testing
import TestSupport

/// One user cannot take all of a network, unless it is the owner's or root.
@Suite(.enabled(if: isRoot, "only root can start a process of another user"))
struct UserLimitTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    /// A network of root's, that everybody may join, made by a process with that in its environment.
    private func make(_ environment: [String] = [], nodes: Int = 8) throws -> Peer {
        let owner = try Peer(environment: environment)
        try owner.expect("umask 0")
        try owner.expect("bind \(path) nodes=\(nodes)")
        return owner
    }

    private func join(_ count: Int, user: UInt32) throws -> [Peer] {
        try (0..<count).map { _ in
            let peer = try Peer(user: user)
            try peer.expect("connect \(path)")
            return peer
        }
    }

    @Test func halfOfTheNodesForOneUser() throws {
        let owner = try make()
        var taken = try join(4, user: stranger)
        let answer = try Peer(user: stranger).ask("connect \(path)")
        #expect(answer.hasPrefix("error \(EDQUOT) \(path): this user has as many nodes"), "\(answer)")
        #expect(answer.contains(UserLimits.nodesVariable))
        let others = try join(2, user: stranger + 1)
        // The owner, who is root here, may have the rest.
        try owner.expect("connect -")
        let more = try join(1, user: 0)
        #expect(try Peer().ask("connect \(path)").hasPrefix("error \(EADDRNOTAVAIL) "))
        taken.removeLast()
        try eventually("the port of who left is free") { try Peer(user: stranger).ask("connect \(path)").hasPrefix("ok") }
        withExtendedLifetime((taken, others, more)) {}
    }

    @Test func asManyAsItsMakerSays() throws {
        let owner = try make(["\(UserLimits.nodesVariable)=1"])
        let first = try join(1, user: stranger)
        #expect(try Peer(user: stranger).ask("connect \(path)").hasPrefix("error \(EDQUOT) "))
        withExtendedLifetime((owner, first)) {}
    }

    /// Memory counts as long as somebody has still to read what is in it, also after its writer has gone.
    @Test func memoryThatStaysWhenItsWriterLeaves() throws {
        let owner = try make(["\(UserLimits.memoryVariable)=16M"])
        try owner.expect("connect - r")
        func pile(_ bytes: Int) throws -> (Child, String) {
            let child = try Child(Child.built("TestPeer"), ["rogue", "\(stranger)", path, "pile", "\(bytes)"])
            return (child, try child.line())
        }
        let (first, stays) = try pile(15 << 20)
        #expect(stays == "error 0")
        first.kill()
        let (second, lives) = try pile(2 << 20)
        #expect(lives == "error 0")
        #expect(try pile(4096).1 == "error \(EDQUOT)")
        // An honest sender of that user is told at its first message; other users have their own share.
        let peer = try Peer(user: stranger)
        try peer.expect("connect \(path) w")
        let refused = try peer.ask("send x")
        #expect(refused.hasPrefix("error \(EDQUOT) \(path): this user's nodes hold as much memory"), "\(refused)")
        #expect(refused.contains(UserLimits.memoryVariable))
        let other = try Peer(user: stranger + 1)
        try other.expect("connect \(path) w")
        try other.expect("send from another")
        while try owner.expect("receive").hasSuffix("from another") == false {}
        // Once one is gone and the other was read, there is room again.
        second.kill()
        try owner.expect("close")
        try eventually("the memory is given back") { try peer.ask("send x") == "ok" }
    }

    @Test func aLimitThatIsNoNumberIsRefusedWithItsName() throws {
        for (variable, value) in [(UserLimits.nodesVariable, "0"), (UserLimits.memoryVariable, "much")] {
            let peer = try Peer(environment: ["\(variable)=\(value)"])
            let answer = try peer.ask("bind \(path)")
            #expect(answer.hasPrefix("error \(EINVAL) \(variable)=\(value): "), "\(answer)")
        }
        #expect(!exists(path))
    }
}
