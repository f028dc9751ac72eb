import CLinux
import Glibc
import IPN
import Testing
import TestSupport

/// Deaths at one step of the code that once left something behind.
@Suite struct StepTests {
    let scratch: Scratch
    let path: String
    let plan: DeathPlan

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
        plan = try DeathPlan(in: scratch)
    }

    private func party() throws -> Peer {
        let party = try Peer(environment: [plan.environment])
        try party.expect("umask 22")
        return party
    }

    /// Makes a network whose keeper stops at a step.
    private func manager(stoppingKeeperAt step: String, pass: UInt64 = 1) throws -> Peer {
        let manager = try party()
        try plan.set(SIGSTOP, at: step, pass: pass)
        try manager.expect("bind \(path)")
        try plan.clear()
        return manager
    }

    /// Between the two names of the new file, who takes a dead network's place is killed.
    @Test func whoTakesOverAndDiesOfItLeavesNothingForLong() throws {
        let folder = scratch("folder")
        mkdir(folder, 0o755)
        defer { rmdir(folder) }
        let path = "\(folder)/net"
        let maker = try party()
        try maker.expect("bind \(path)")
        // Stopped, it makes no other keeper.
        maker.child.stop()
        try KeeperProcess(of: path).kill()
        maker.kill()
        try plan.set(SIGKILL, at: "take over: marker bound, not renamed")
        let first = try party()
        let answer = try? first.ask("bind \(path)")
        #expect(answer == nil && !plan.hits.isEmpty, "it lives and says \(answer ?? "")")
        try plan.clear()
        #expect(Scratch.list(folder).count == 2)
        let next = try Node(binding: path)
        #expect(next.madeNetwork && Scratch.list(folder) == ["net"])
        let last = try KeeperProcess(of: path)
        next.close()
        try last.waitUntilGone()
    }

    private func waitForHit() throws -> Int32 {
        try eventually("the step is reached") { !plan.hits.isEmpty }
        return plan.hits[0].pid
    }

    @Test func aWriterThatDiesWithItsKeeperBeforeAnyoneHearsOfItsPool() throws {
        let manager = try manager(stoppingKeeperAt: "keeper: pool on the roll, not announced")
        let reader = try party()
        try reader.expect("connect \(path) r")
        let before = reader.child.descriptors
        let writer = try party()
        try writer.expect("connect \(path) w")
        #expect(try reader.expect("receive 0") == "none")
        #expect(reader.child.descriptors > before, "it knows the writer")
        try writer.tell("send never heard")
        let keeper = try waitForHit()
        writer.kill()
        _ = kill(keeper, SIGKILL)
        try eventually("\(reader.child.descriptors) descriptors, \(before) before") {
            try reader.expect("receive 0")
            return reader.child.descriptors <= before
        }
        // It may come back last.
        try eventually("the reader alone is counted") { try manager.expect("counts") == "1 0" }
    }

    /// A keeper that answers four requests before it stops: the manager's two, and a newcomer's greeting and CONNECT.
    private func connectWhileKeeperDies(at step: String) throws {
        let manager = try manager(stoppingKeeperAt: step, pass: 4)
        let (reader, writer) = (try party(), try party())
        try reader.tell("connect \(path) r")
        _ = kill(try waitForHit(), SIGKILL)
        let answer = try reader.answer()
        #expect(answer == "ok 0 r-")
        try writer.expect("connect \(path) w")
        var counts = ""
        // The manager may come back last.
        try eventually("each is counted once, not \(counts)") {
            counts = try manager.expect("counts")
            return counts == "1 1"
        }
        try writer.expect("send hello")
        #expect(try reader.expect("receive") == "0 0 hello")
    }

    @Test func whoIsAnsweredByAKeeperThatDiesOfItIsConnected() throws { try connectWhileKeeperDies(at: "keeper: answered") }

    @Test func whoIsNotAnsweredByAKeeperThatDiesIsConnectedOnce() throws { try connectWhileKeeperDies(at: "keeper: done, not answered") }

    /// The only writer of a LOSSLESS network, which no party of the torture ever is, waits for a quarter of its pool.
    @Test(arguments: [SIGKILL, SIGSTOP]) func theOnlyWriterDiesWaitingForRoom(signal: Int32) throws {
        let manager = try party()
        try manager.expect("bind \(path) lossless pool=8")
        let readers = try (0..<2).map { _ in try party() }
        for reader in readers { try reader.expect("connect \(path) r") }
        try plan.set(signal, at: "room: waiting for a quarter, not looked again")
        let writer = try party()
        try plan.clear()
        try writer.expect("connect \(path) w")
        try writer.tell("sendn 9 100 7")
        _ = try waitForHit()
        writer.kill()
        #expect(try readers[0].expect("order 8") == (try readers[1].expect("order 8")))
        let next = try party()
        try next.expect("connect \(path) w")
        try next.tell("sendn 100 100 9")
        for reader in readers { try reader.tell("order 100") }
        #expect(try readers[0].answer() == (try readers[1].answer()))
        #expect(try next.answer().hasPrefix("ok"))
    }

    /// The winner's door may be in another folder than the dead keeper's: in the owner's, where its maker's was before.
    @Test(
        .enabled(if: isRoot, "only root can give a network away"),
        .enabled(if: KernelAbilities.namesMakersOfSockets, "the kernel names no makers of sockets (CONFIG_UNIX_DIAG)"),
        arguments: [stranger + 1, 0])
    func whoComesLateToAnElectionFindsWhoWasFaster(winner: UInt32) throws {
        chmod(scratch.path, 0o777)
        let maker = try Peer(user: stranger)
        try maker.expect("bind \(path)")
        try #require(chown(path, stranger + 1, stranger + 1) == 0 && chmod(path, 0o777) == 0)
        try plan.set(SIGSTOP, at: "election: nobody keeps it")
        let late = try Peer(user: stranger + 1, environment: [plan.environment])
        try late.expect("connect \(path)")
        try plan.clear()
        let fast = try Peer(user: winner)
        try fast.expect("connect \(path)")
        // First of all the late one looks, and finds nobody.
        fast.child.stop()
        try KeeperProcess(of: path).kill()
        #expect(try waitForHit() == late.child.pid)
        fast.child.resume()
        var keeper: KeeperProcess?
        try eventually("another keeper") {
            keeper = try? KeeperProcess(of: path)
            return keeper != nil
        }
        late.child.resume()
        try late.expect("send late")
        let newcomer = try Peer(user: stranger + 1)
        try newcomer.expect("connect \(path)")
        try late.expect("send again")
        for text in ["late", "again"] { #expect(try fast.expect("receive").hasSuffix(" \(text)")) }
        #expect(try newcomer.expect("receive").hasSuffix(" again"))
        #expect(try KeeperProcess(of: path).pid == keeper?.pid && keeper?.isListening == true)
        #expect(try KeeperProcess.all(of: path).count == 1)
    }
}
