import CLinux
import Glibc
import IPN
import Testing
import TestSupport

/// Processes, of the owner's user and of another, that do what no library of ours would. See TestPeer's Rogue.
/// Whatever they do, the others go on, and newcomers come in.
@Suite(.enabled(if: isRoot, "only root can start a process of another user"))
struct RogueTests {
    let scratch: Scratch
    let path: String
    let honest: Node
    let keeper: KeeperProcess

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
        honest = try Node(binding: path, options: .with { $0.nodeLimit = 64 })
        _ = chmod(path, 0o777)
        keeper = try KeeperProcess(of: path)
    }

    static let users: [UInt32] = [0, stranger]

    /// - Returns: the process, and what it said when it was at it.
    func start(_ manner: String, _ words: String..., user: UInt32) throws -> (Child, said: String) {
        let child = try Child(Child.built("TestPeer"), ["rogue", "\(user)", path, manner] + words)
        return (child, try child.line())
    }

    /// Two nodes of other processes, one of them another user's, and one of ours: each hears the others, and can ask
    /// for the network's state.
    func expectAlive(rounds: Int = 1) throws {
        let reader = try Node(connecting: path, directions: .receive)
        for user in Self.users {
            let peer = try Peer(user: user)
            try peer.expect("connect \(path)")
            for round in 0..<rounds {
                try untilHeard {
                    try peer.expect("send round \(round)")
                } by: {
                    try reader.drain().contains { $0.bytes == Array("round \(round)".utf8) }
                }
            }
            try untilHeard {
                try honest.send("to you")
            } by: {
                try peer.expect("receive 10").hasSuffix("to you")
            }
        }
        #expect(try NetworkStatus(of: path).nodes.count >= 2)
        #expect(keeper.isRunning)
        _ = try honest.drain()
    }

    /// A rogue with `w` may push others' messages out of a LOSSY receiver's window, as any fast sender may: then they are
    /// sent again.
    private func untilHeard(_ send: () throws -> Void, by listen: () throws -> Bool) throws {
        try eventually("a message arrives") {
            try send()
            return try listen()
        }
    }

    @Test(arguments: users) func whoSendsGarbage(user: UInt32) throws {
        let (rogue, _) = try start("garbage", user: user)
        try expectAlive(rounds: 100)
        rogue.kill()
        try expectAlive()
    }

    @Test(arguments: users, ["flood", "deaf"]) func whoAsksWithoutEnd(user: UInt32, manner: String) throws {
        let rogues = try (0..<2).map { _ in try start(manner, user: user).0 }
        try expectAlive(rounds: 100)
        for rogue in rogues { rogue.kill() }
        try expectAlive()
    }

    @Test(arguments: users) func whoseDescriptorsAreOfTheWrongKind(user: UInt32) throws {
        // The first of each user costs what the honest node is rung by.
        try expectAlive()
        let before = keeper.descriptors
        let (rogue, said) = try start("descriptors", user: user)
        #expect(said == "answers \(EPERM) \(EINVAL) \(EISCONN)")
        try expectAlive()
        rogue.kill()
        try eventually("the keeper has closed all of them") { keeper.descriptors <= before }
    }

    /// close(2) of such a socket takes an hour.
    @Test(arguments: users) func whoseDescriptorsTakeLongToClose(user: UInt32) throws {
        let (rogue, _) = try start("linger", user: user)
        try expectAlive()
        // A few threads wait for all of it, whoever it is: they count against the limit of the keeper's user.
        #expect(Scratch.list("/proc/\(keeper.pid)/task").count <= 6)
        rogue.kill()
    }

    @Test func whoHasNoRightAndHandsInWhatTakesLongToClose() throws {
        _ = chmod(path, 0o700)
        let (rogue, _) = try start("linger", user: stranger)
        _ = chmod(path, 0o777)
        try expectAlive()
        rogue.kill()
    }

    /// Neither who is there, nor what would keep the name taken when all others are gone.
    @Test func whoHasNoRightIsGivenNothing() throws {
        let other = scratch("other")
        let maker = try Peer()
        try maker.expect("bind \(other) mode=0700")
        let rogue = try Child(Child.built("TestPeer"), ["rogue", "\(stranger)", other, "peek"])
        #expect(try rogue.line() == "error \(EACCES), 0 descriptors")
        // Stopped, it makes no other keeper.
        maker.child.stop()
        try KeeperProcess(of: other).kill()
        maker.kill()
        #expect(try Node(binding: other).madeNetwork)
        rogue.kill()
    }

    // MARK: At a keeper that was elected

    /// Kills the keeper, and waits for the next.
    private func replaceKeeper() throws -> KeeperProcess {
        try keeper.kill()
        var found: KeeperProcess?
        try eventually("another keeper") {
            found = try? KeeperProcess(of: path)
            return found != nil
        }
        return try #require(found)
    }

    @Test(arguments: users, [false, true]) func whoSaysItIsAnother(user: UInt32, isVictimAway: Bool) throws {
        let victim = try Peer()
        try victim.expect("connect \(path) rw port=9")
        if isVictimAway { victim.child.stop() }
        _ = try replaceKeeper()
        try eventually("who is not stopped is back") { try NetworkStatus(of: path).nodes.count == (isVictimAway ? 1 : 2) }
        _ = chmod(path, 0o774)
        let (rogue, said) = try start("usurp", "9", user: user)
        #expect(said == (isVictimAway ? "answers \(EPERM) \(EPERM) \(EPERM)" : "answers 0 0 \(ESTALE)"))
        if isVictimAway { victim.child.resume() }
        try eventually("it is there") { try NetworkStatus(of: path).nodes.contains { $0.port == 9 && $0.sends } }
        let newcomer = try Node(connecting: path, directions: .receive)
        try victim.expect("send still here")
        for node in [honest, newcomer] { #expect(try node.receive(timeout: .seconds(60))?.bytes == Array("still here".utf8)) }
        try honest.send("to you")
        #expect(try victim.expect("receive").hasSuffix("to you"))
        rogue.kill()
    }

    @Test(arguments: users) func whoReturnsWithDescriptorsOfTheWrongKind(user: UInt32) throws {
        let new = try replaceKeeper()
        try eventually("it is back") { try NetworkStatus(of: path).nodes.count == 1 }
        let before = new.descriptors
        let (rogue, _) = try start("return", user: user)
        rogue.kill()
        try eventually("the keeper has closed all of them") { new.descriptors <= before }
    }

    // MARK: Bells

    /// Who adds to a full eventfd that blocks waits for ever, and who reads an empty one.
    @Test(arguments: users) func whoJamsTheBellsItIsRungBy(user: UInt32) throws {
        let (rogue, _) = try start("jam", user: user)
        for _ in 0..<1000 { try honest.send("ring") }
        try expectAlive(rounds: 20)
        rogue.kill()
        try expectAlive()
    }

    @Test(arguments: users) func whoMakesBellsNonblocking(user: UInt32) throws {
        let peer = try Peer()
        try peer.expect("connect \(path)")
        let (rogue, _) = try start("flags", user: user)
        for round in 0..<3 {
            try peer.tell("receive")
            try honest.send("round \(round)")
            #expect(try peer.answer().hasSuffix("round \(round)"))
        }
        try expectAlive()
        rogue.kill()
    }

    @Test func whoRingsWithoutEnd() throws {
        let reader = try Node(connecting: path, directions: .receive)
        let (rogue, _) = try start("ring", user: stranger)
        try expectAlive(rounds: 100)
        // Somebody who sleeps between messages, and is woken all the time.
        let peer = try Peer()
        try peer.expect("connect \(path)")
        try peer.tell("receive")
        try honest.send("now")
        #expect(try peer.answer().hasSuffix("now"))
        #expect(try reader.receive() != nil)
        rogue.kill()
    }

    @Test(arguments: users) func whoScribblesOverAllThatIsItsOwn(user: UInt32) throws {
        let rogues = try (0..<2).map { _ in try start("scribble", user: user).0 }
        try expectAlive(rounds: 300)
        for rogue in rogues { rogue.kill() }
        try expectAlive()
    }

    @Test func whoConnectsAndSaysNothing() throws {
        let (rogue, _) = try start("silent", "2000", user: stranger)
        try expectAlive()
        // No more than a user may have; each is a socket and a pidfd.
        #expect(keeper.descriptors < 2 * (2 * 32 + 64) + 64)
        rogue.kill()
        try expectAlive()
    }
}
