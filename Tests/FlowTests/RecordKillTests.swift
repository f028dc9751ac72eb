import Foundation
import Glibc
import Testing

/// Recorders that are killed (SIGKILL) at any moment. `Tools/torture-record` runs a thousand.
@Suite(.onStage) struct RecordKillTests {
    private struct Random: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var word = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
            word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
            return word ^ word >> 31
        }
    }

    private struct Victim {
        let recorder: Program
        let name: String
        let segments: Bool
        /// Messages that it had received when its file was there: none of them need be in it.
        var before: UInt64?
    }

    /// What a recorder had been given for longer than a fragment's time is in its files, which play.
    @Test func whatIsKilledHasLostItsLastFragmentAtMost() async throws {
        let environment = ProcessInfo.processInfo.environment
        let count = environment["IPN_KILLS"].flatMap(Int.init) ?? 36
        let seed = environment["IPN_SEED"].flatMap(UInt64.init) ?? 1
        var random = Random(state: seed)
        var done = 0
        var worst = 0.0
        while done < count {
            let scratch = try Scratch()
            let publisher = try scratch.ipn("publish", "test:", "net")
            try await until("the network is there") { try await scratch.show("net")?.writers == 1 }
            let batch = min(24, count - done)
            var victims: [Victim] = []
            for number in 0..<batch {
                let segments = Bool.random(using: &random)
                let name = "\(number)." + ["mp4", "mp4", "mkv", "ts"].randomElement(using: &random)!
                let words = ["record", "net", name] + (segments ? ["--segment", "2s"] : [])
                let recorder = try Program([Scratch.executable] + words, in: scratch)
                victims.append(Victim(recorder: recorder, name: name, segments: segments))
            }
            let kills = (0..<batch).map { ($0, Double.random(in: 0.2...6, using: &random)) }.sorted { $0.1 < $1.1 }
            var given = Array(repeating: UInt64(0), count: batch)
            let begin = Date()
            for (number, time) in kills {
                try await wait(until: begin.addingTimeInterval(time), for: &victims, scratch)
                let received = try await received(scratch)
                let victim = victims[number]
                victim.recorder.send(SIGKILL)
                _ = try await victim.recorder.ended()
                given[number] = victim.before.flatMap { before in received[victim.recorder.processID].map { $0 - min($0, before) } } ?? 0
            }
            publisher.send(SIGINT)
            try await publisher.succeeded()
            for (number, victim) in victims.enumerated() {
                worst = max(worst, try await examine(victim, given: given[number], scratch, "seed \(seed), kill \(done)"))
                done += 1
            }
        }
        if count > 100 { print("\(done) kills; at most \(String(format: "%.2f", worst)) s of what had been given are missing") }
    }

    /// Meanwhile, notes which files have come to be.
    private func wait(until time: Date, for victims: inout [Victim], _ scratch: Scratch) async throws {
        repeat {
            let missing = victims.indices.filter { victims[$0].before == nil && scratch.has(victims[$0].name) }
            if !missing.isEmpty {
                let received = try await received(scratch)
                for number in missing { victims[number].before = received[victims[number].recorder.processID] }
            }
            try await Task.sleep(for: .milliseconds(5))
        } while Date() < time
    }

    /// Messages by process: what `ipn record` has taken it has written, or holds for its next fragment.
    private func received(_ scratch: Scratch) async throws -> [pid_t: UInt64] {
        let nodes = try await scratch.show("net")?.nodes ?? []
        return Dictionary(nodes.map { ($0.pid, $0.received) }, uniquingKeysWith: { one, _ in one })
    }

    /// - Parameter given: packets that it has surely been given since its file was there.
    /// - Returns: seconds of them that are missing.
    private func examine(_ victim: Victim, given: UInt64, _ scratch: Scratch, _ which: String) async throws -> Double {
        let stem = victim.name.prefix { $0 != "." }
        let kind = victim.name.drop { $0 != "." }
        let names = try scratch.names().filter { $0.hasSuffix(kind) && ($0.hasPrefix("\(stem).") || $0.hasPrefix("\(stem)-")) }
        var packets = 0
        for name in names {
            let recording = Recording(name, in: scratch)
            // What was killed within its first fragment may have nothing in it yet.
            guard scratch.size(name) > 0 else { continue }
            guard let pictures = try? await recording.packets() else {
                #expect(given < 72 || names.count > 1, "\(which), \(name): cannot be read")
                continue
            }
            packets += try await pictures.count + recording.packets("a").count
            #expect(pictures.first?.isKey ?? true, "\(which), \(name): begins without a key frame")
            let player = try Program(["ffmpeg", "-v", "fatal", "-i", recording.path, "-f", "null", "-"], in: scratch)
            #expect(try await player.ended().status == 0, "\(which), \(name): \(player.complaint)")
        }
        // Messages are counted, and descriptions among them are no packets: one a second for up to 6 s, and one for each of the 24
        // recorders that came or went meanwhile make 30 at most. Where it was given fewer, as many packets more could be missing
        // unseen, so that what this shows is: less than 1.1 s, and with the doubt of 30 messages (0.42 s) less than 1.52 s.
        let descriptions = 30.0
        // 25 pictures and 46.9 packets of sound a second.
        let missing = (Double(given) - descriptions - Double(packets)) / 71.875
        // A fragment's second; and the tenth that goes by between the count that `ipn show` gives and the signal.
        #expect(missing <= 1.1, "\(which), \(victim.name): \(given) given, \(packets) there")
        // It is repaired where it is, into files that are whole.
        for name in names where name.hasSuffix(".mp4") {
            let check = try scratch.ipn("check", name, "--repair")
            guard try await check.ended().status == 0 else { continue }
            #expect(try await scratch.ipn("check", name).ended().status == 0, "\(which), \(name)")
        }
        for name in names { try? FileManager.default.removeItem(atPath: scratch.file(name)) }
        return missing
    }
}
