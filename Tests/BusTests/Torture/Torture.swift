import CLinux
import Glibc
import IPNControl
import IPNSystem
import TestSupport

/// A network on which one party after the other, or the keeper, dies at a step of the code, while two writers and two readers
/// go on and have to show that nothing of theirs is lost (Torture+Survivors).
///
/// Each party is TestPeer in a process of its own. It signals itself, as a plan tells that it reads when it starts.
final class Torture {
    let path: String
    let isLossless: Bool
    /// Is bound, neither sends nor receives, and sees who is counted.
    let manager: Peer
    var writers: [Peer] = []
    var readers: [Peer] = []
    var random: SeededRandom
    /// The keeper and all parties, when each was used once.
    var holdings: [Holdings] = []
    /// What the survivors do meanwhile (Torture+Survivors).
    var batch: Batch?
    var batches: UInt64 = 0
    /// Messages of each writer so far.
    var published: [UInt64] = [0, 0]

    private let scratch: Scratch
    private let plan: DeathPlan
    private(set) var kills = 0
    private(set) var hits: [String: Int] = [:]

    /// - Parameter maker: a step at which another's first bind dies, at the same time as ours.
    init(seed: UInt64, maker: TortureStep?) throws {
        random = SeededRandom(seed)
        scratch = try Scratch()
        path = scratch("net")
        plan = try DeathPlan(in: scratch)
        isLossless = random.next() % 2 == 0
        let options = "mtu=70000 pool=\(1 + random.next() % 12) nodes=8" + (isLossless ? " lossless" : "")
        manager = try Self.party(plan)
        let rival = try maker.map { step in try victim(at: step) }
        try rival?.tell("bind \(path) \(options)")
        try manager.tell("bind \(path) \(options)")
        // Stopped, it holds the lock under which networks are made.
        try rival.map { try finish($0) }
        guard try manager.answer().hasPrefix("ok ") else { throw Trouble("the first bind fails") }
        try plan.clear()
        for role in ["r", "r", "w", "w"] {
            let party = try Self.party(plan)
            try party.expect("first")
            try party.expect("connect \(path) \(role)")
            if role == "r" { readers.append(party) } else { writers.append(party) }
        }
        try beginBatch()
        try endBatch(isKeeperWell: true)
        holdings = try held()
    }

    var parties: [Peer] { [manager] + readers + writers }

    private static func party(_ plan: DeathPlan) throws -> Peer {
        let party = try Peer(environment: [plan.environment])
        // Its first step comes before its first answer: what is planned later is not for it.
        try party.expect("umask 22")
        return party
    }

    // MARK: One death

    /// Has somebody die at a step, or somewhere else where it never comes there, while the others go on.
    func kill(at step: TortureStep) throws {
        try beginBatch()
        switch step.family {
        case .keeper: try killKeepers(at: step)
        case .electing:
            let victim = try victim(at: step)
            try victim.expect("connect \(path) w")
            try killKeeper()
            usleep(UInt32(random.next() % 20_000))
            try finish(victim)
        default:
            let victim = try victim(at: step)
            for line in script(step.family) { try victim.tell(line) }
            try finish(victim)
        }
        try plan.clear()
        try endBatch(isKeeperWell: step.family != .keeper && step.family != .electing)
    }

    private func script(_ family: TortureStep.Family) -> [String] {
        let seed = 1 << 63 + random.next() % (1 << 40)
        switch family {
        case .writer: return ["connect \(path) w", "sendn 40 \(random.next() % 70_000) \(seed)", "close", "exit"]
        case .reader: return ["connect \(path) r"] + Array(repeating: "hold", count: Int(random.next() % 4)) + ["gather 1"]
        default: return ["connect \(path) w", "sendn 3 100 \(seed)", "close", "connect \(path) w", "close", "exit"]
        }
    }

    /// A party that dies, or stops, at a step.
    private func victim(at step: TortureStep) throws -> Peer {
        try plan.set(random.next() % 3 == 0 ? SIGSTOP : SIGKILL, at: step.name, pass: 1 + random.next() % step.passes)
        return try Self.party(plan)
    }

    /// Waits until it has come to its step or to the end of what it was told; then it is dead in any case.
    private func finish(_ victim: Peer) throws {
        let pid = victim.child.pid
        // A reader that never comes to its step reads for ever.
        let end = clockNanoseconds() + 150_000_000
        while !plan.hasHit(pid) && clockNanoseconds() < end && !victim.child.hasEnded { usleep(300) }
        // Where it is only stopped, the others find it so for a while.
        if plan.hasHit(pid) { usleep(UInt32(random.next() % 3000)) }
        victim.kill()
        kills += 1
    }

    private func keeper() throws -> KeeperProcess {
        var keeper: KeeperProcess?
        try eventually("a keeper is there") {
            keeper = try? KeeperProcess(of: path)
            return keeper != nil
        }
        return keeper!
    }

    private func killKeeper() throws {
        try keeper().kill()
        kills += 1
    }

    /// The next keeper has a plan; what a guest asks of it brings it there.
    private func killKeepers(at step: TortureStep) throws {
        let stops = random.next() % 3 == 0
        let before = plan.hits.count
        try plan.set(stops ? SIGSTOP : SIGKILL, at: step.name, pass: 1 + random.next() % step.passes)
        try killKeeper()
        usleep(UInt32(5000 + random.next() % 20_000))
        try plan.clear()
        let guest = try Self.party(plan)
        for line in script(.guest) { try guest.tell(line) }
        try finish(guest)
        // A keeper that is only stopped holds up no LOSSY writer.
        if stops, !isLossless, plan.hits.count > before { try endBursts() }
        // One that has not come to its step would do so when nobody looks.
        try killKeeper()
    }

    // MARK: The end

    /// Ends the network, by everybody's leaving or by everybody's death.
    /// - Parameters:
    ///   - step: where its keeper dies of it.
    ///   - successor: where the first dies that takes the file over, where one is left.
    func end(at step: TortureStep?, successor: TortureStep) throws {
        try expectHoldings()
        let doors = Rendezvous.doors(try FileStatus(path: path))
        if let step {
            try plan.set(SIGKILL, at: step.name)
            try killKeeper()
            // Nobody is there to elect one later.
            _ = try keeper()
        }
        if random.next() % 2 == 0 {
            for party in parties { try party.expect("close") }
        }
        for party in parties { party.kill() }
        kills += parties.count
        try eventually("the last keeper is gone") { (try? KeeperProcess(of: path)) == nil && (step != nil || !exists(path)) }
        try plan.clear()
        if exists(path) { try takeOver(at: successor) }
        try eventually("no file is left: \(scratch.contents)") {
            scratch.contents.allSatisfy { $0.hasPrefix("plan") } && !doors.contains(where: exists)
        }
        for hit in plan.hits { hits[hit.step, default: 0] += 1 }
    }

    /// Everybody was killed: its owner's next bind takes the file over, also where another died of doing so.
    private func takeOver(at step: TortureStep) throws {
        let victim = try victim(at: step)
        try victim.tell("bind \(path)")
        try finish(victim)
        try plan.clear()
        let next = try Self.party(plan)
        try next.expect("bind \(path) persist")
        try next.expect("persist off")
        try next.expect("close")
        next.kill()
    }
}
