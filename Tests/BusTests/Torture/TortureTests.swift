import Glibc
import Testing
import TestSupport

/// Parties and keepers are killed, or stopped and killed, at every step of the code that has a name. `Tools/torture` does it
/// ten thousand times.
@Suite struct TortureTests {
    @Test func whoSurvivesLosesNothing() throws {
        let wanted = getenv("IPN_TORTURE").flatMap { Int(String(cString: $0)) } ?? 250
        let seed = getenv("IPN_SEED").flatMap { UInt64(String(cString: $0)) } ?? 1
        var random = SeededRandom(seed)
        var (kills, networks, told) = (0, 0, 0)
        var hits: [String: Int] = [:]
        func one(_ family: TortureStep.Family) -> TortureStep { TortureStep.of(family).randomElement(using: &random)! }
        while kills < wanted {
            let network = random.next()
            let torture = try Torture(seed: network, maker: random.next() % 2 == 0 ? one(.maker) : nil)
            func tried(_ what: String, _ body: () throws -> Void) throws {
                do {
                    try body()
                } catch {
                    let trouble = Trouble(
                        "seed \(seed), network \(networks), \(torture.kills) deaths, \(what): \(error); \(torture.situation)")
                    if getenv("IPN_HOLD") != nil {
                        // Everybody stays as it is, for a debugger.
                        print(trouble)
                        fflush(nil)
                        pause()
                    }
                    throw trouble
                }
            }
            // Each step in turn, in another order each time.
            for step in TortureStep.of(.writer, .reader, .guest, .electing, .keeper).shuffled(using: &random) {
                guard kills + torture.kills < wanted else { break }
                try tried(step.name) { try torture.kill(at: step) }
            }
            let ending = random.next() % 2 == 0 ? one(.ending) : nil
            let successor = one(.successor)
            try tried("the end") { try torture.end(at: ending, successor: successor) }
            kills += torture.kills
            networks += 1
            hits.merge(torture.hits, uniquingKeysWith: +)
            if kills / 500 > told {
                told = kills / 500
                print("\(kills) deaths, \(hits.values.reduce(0, +)) of them at \(hits.count) steps, on \(networks) networks")
                fflush(nil)
            }
        }
        if wanted >= 5000 {
            for step in TortureStep.all { #expect(hits[step.name, default: 0] > 0, "nobody ever died at: \(step.name)") }
        }
        print("\(kills) deaths, \(hits.values.reduce(0, +)) of them at \(hits.count) steps, on \(networks) networks; seed \(seed)")
    }
}
