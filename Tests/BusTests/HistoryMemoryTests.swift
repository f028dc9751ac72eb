import Foundation
import Glibc
import IPN
import Testing
import TestSupport

/// What a sender keeps costs about what it holds.
@Suite struct HistoryMemoryTests {
    /// Octets that this process's pools hold in memory, by the blocks of their memfds.
    private func residentPools() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").reduce(0) { total, name in
            let path = "/proc/self/fd/\(name)"
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path), target.contains("memfd:ipn-pool") else {
                return total
            }
            var status = stat()
            return stat(path, &status) == 0 ? total + Int(status.st_blocks) * 512 : total
        }
    }

    /// Runs in a process of its own, where there are no other tests' pools: an hour of a live picture, as fast as it goes. Its
    /// scenes differ: groups of pictures of other lengths, pictures of other sizes.
    @Test func anHourOfVaryingSizesCostsAtMostThreeTimesThePayload() async throws {
        await #expect(processExitsWith: .success) {
            let scratch = try Scratch()
            let suite = HistoryMemoryTests()
            var random = SeededRandom(7)
            let writer = try Node(
                binding: scratch("net"),
                options: .with {
                    $0.history = 2048; $0.mtu = 4 << 20; $0.poolSize = 256
                })
            let reader = try Node(connecting: scratch("net"))
            /// What the groups of the last minutes held.
            var groups: [(end: Int, payload: Int)] = []
            var worst = 0.0
            var sent = 0
            while sent < 3600 * 30 {
                // By night there is little to see.
                let scene = Int.random(in: 20_000...60_000, using: &random) / (sent < 3600 * 15 ? 1 : 20)
                let start = writer.nextSequence
                var payload = 0
                for index in 0..<Int.random(in: 30...300, using: &random) {
                    let size = Int.random(in: scene / 4...scene, using: &random) * (index == 0 ? 12 : 1)
                    try writer.send(size) { _ in }
                    if index == 0 { writer.keepHistory(from: start) }
                    payload += size
                    sent += 1
                    while try reader.withMessage(timeout: .zero, { _ in }) != nil {}
                }
                // Memory follows what is kept within ten thousand messages.
                groups = groups.filter { $0.end > sent - 10_000 } + [(sent, payload)]
                let most = groups.reduce(0) { max($0, $1.payload) }
                if sent > 10_000 { worst = max(worst, Double(try suite.residentPools()) / Double(most)) }
            }
            try #require(worst > 1 && worst <= 3, "\(worst) times the payload")
        }
    }

    /// Few messages, but much time: what a camera needed by day is given back while it sends little by night.
    @Test func memoryFollowsByTheClockWhereMessagesAreFew() async throws {
        await #expect(processExitsWith: .success) {
            let scratch = try Scratch()
            let suite = HistoryMemoryTests()
            let writer = try Node(
                binding: scratch("net"),
                options: .with {
                    $0.history = 2048; $0.mtu = 4 << 20; $0.poolSize = 256
                })
            let reader = try Node(connecting: scratch("net"))
            func send(_ size: Int) throws {
                try writer.send(size) { _ in }
                // A publisher of pictures that all stand for themselves keeps a second of them.
                if writer.nextSequence % 100 == 0 { writer.keepHistory(from: writer.nextSequence - 1) }
                while try reader.withMessage(timeout: .zero, { _ in }) != nil {}
            }
            for _ in 0..<450 { try send(600_000) }
            let most = try suite.residentPools()
            try #require(most > 50_000_000, "\(most)")
            // What is kept is half of a megabyte, and what a pool is looked through for is thousands of messages.
            let few = 4 << 20
            var sent = 0
            while try suite.residentPools() > few, sent < 3000 {
                try send(5600)
                sent += 1
                try await Task.sleep(for: .milliseconds(10))
            }
            let left = try suite.residentPools()
            try #require(left <= few, "\(left) octets are still there after \(sent) small messages")
        }
    }
}
