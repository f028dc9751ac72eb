import CLinux
import Glibc
import IPN
import IPNSystem
import Testing
import TestSupport

/// What is another's: his descriptors, his rights to send, his network.
extension RogueTests {
    /// Descriptors on their way count against the limit of open files of the keeper's user, in all his programs.
    @Test func whoTakesNoDescriptorsIsGivenFew() throws {
        let (rogue, said) = try start("hoard", "40", user: stranger)
        #expect(said == "descriptors \(8 * 3)")
        #expect(try rogue.line() == "answers [3]")
        rogue.kill()
        try expectAlive()
    }

    /// Whom a member strikes is the member's choice, and where it leads to, too.
    @Test func whoHasOthersStrikeWhatItMayNot() throws {
        let folder = scratch("private")
        try #require(mkdir(folder, 0o700) == 0 && mkdir(scratch("open"), 0o777) == 0 && chmod(scratch("open"), 0o777) == 0)
        let target = Descriptor(owning: socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
        _ = try withSocketAddress("\(folder)/control") { address, length in linux_bind(target.raw, address, length) }
        let (rogue, said) = try start("mislead", scratch("open/name"), "\(folder)/control", user: stranger)
        #expect(said == "joined")
        // Who leaves has all others struck.
        try expectAlive()
        var bytes = [UInt8](repeating: 0, count: 16)
        #expect(recv(target.raw, &bytes, bytes.count, CInt(MSG_DONTWAIT)) == -1, "\(bytes)")
        rogue.kill()
        try expectAlive()
    }

    @Test(arguments: users) func whoHasDiedKeepsNoNetwork(user: UInt32) throws {
        let (rogue, said) = try start("outlive", user: user)
        #expect(said == "joined")
        rogue.kill()
        honest.close()
        try keeper.waitUntilGone()
        #expect(!exists(path))
    }

    /// The first bind is its maker's, though another with `x` should come between.
    @Test func whoBindsWhatAnotherMakesIsToldToWait() throws {
        let plan = try DeathPlan(in: scratch)
        let maker = try Peer(environment: [plan.environment])
        try maker.expect("umask 0")
        try plan.set(SIGSTOP, at: "start: keeper started")
        let victim = try Peer(environment: [plan.environment])
        let other = scratch("other")
        try victim.expect("umask 0")
        try victim.tell("bind \(other) mtu=1000 pool=5 nodes=7")
        try eventually("it stops") { plan.hasHit(victim.child.pid) }
        let rogue = try Child(Child.built("TestPeer"), ["rogue", "\(stranger)", other, "first"])
        #expect(try rogue.line() == "error \(EBUSY)")
        victim.child.resume()
        #expect(try victim.answer().hasPrefix("ok"))
        let options = try NetworkStatus(of: other).options
        #expect(options.mtu == 1000 && options.poolSize == 5 && options.nodeLimit == 7)
        rogue.kill()
    }

    /// Readers that believe nothing of a sender hold nobody up for it.
    @Test(arguments: users) func whoClaimsToHaveSentWithoutEnd(user: UInt32) throws {
        let other = scratch("other")
        let (maker, reader) = (try Peer(), try Peer())
        try maker.expect("bind \(other) lossless pool=4")
        _ = chmod(other, 0o777)
        try maker.expect("connect - w")
        try reader.expect("connect \(other) r")
        let rogue = try Child(Child.built("TestPeer"), ["rogue", "\(user)", other, "boast"])
        #expect(try rogue.line() == "boasting")
        for index in 0..<20 {
            try maker.tell("send \(index)")
            #expect(try reader.expect("receive").hasSuffix(" \(index)"))
            #expect(try maker.answer() == "ok")
        }
        rogue.kill()
    }

    /// What others are rung by is given back some time after they have left.
    @Test func usersWhoHaveLeftCostNothing() throws {
        try expectAlive()
        func visit(_ users: Range<UInt32>) throws {
            for user in users {
                let peer = try Peer(user: user)
                try peer.expect("connect \(path)")
                try peer.expect("send here")
                _ = try honest.drain()
                try peer.expect("close")
            }
        }
        try visit(50_000..<50_016)
        let before = (keeper.descriptors, openDescriptors(of: getpid()))
        try visit(50_016..<50_048)
        try eventually("the keeper gives them back") { keeper.descriptors <= before.0 + 4 }
    }
}
