import Foundation
import Glibc
import Testing

/// How late a consumer takes what was captured, as `ipn show` and `ipn top` tell.
@Suite(.onStage) struct DelayTests {
    /// One that was held up shows it, by as much as it was.
    @Test func whoIsHeldUpShowsIt() async throws {
        try await withLiveNetwork { scratch in
            let recorder = try scratch.ipn("record", "net", "a.mkv")
            func node() async throws -> Scratch.Status.Node? { try await scratch.show("net")?.nodes.first { $0.receives } }
            try await until("it takes packets, pictures and sound") { try await node()?.delay?.skew != nil }
            recorder.send(SIGSTOP)
            // 72 messages a second: the first of them has waited for longer than half a second.
            try await until("packets wait for it") { try await node()?.pending ?? 0 >= 50 }
            let before = try #require(try await node()?.delay)
            recorder.send(SIGCONT)
            try await until("it has taken them") { try await node()?.delay?.count ?? 0 >= before.count + 50 }
            let after = try #require(try await node())
            let delay = try #require(after.delay)
            #expect(delay.p99 >= 500 && delay.mean > 0 && delay.p50 <= delay.p99, "\(delay)")
            // The same test signal on one clock: half a second apart they are only where somebody miscounts.
            let skew = try #require(delay.skew)
            #expect(abs(skew) < 500, "\(delay)")
            #expect(after.receivedBytes > 0)
            recorder.send(SIGINT)
            try await recorder.succeeded()
        }
    }

    /// In a table, by as much as it was held up: no less, and no more than there has been time for.
    @Test func topTellsOfTheDelay() async throws {
        let began = ContinuousClock.now
        try await withLiveNetwork { scratch in
            let recorder = try scratch.ipn("record", "net", "a.mkv")
            try await scratch.awaitProgress(of: "a.mkv")
            recorder.send(SIGSTOP)
            try await until("packets wait for it") { try await scratch.show("net")?.nodes.first { $0.receives }?.pending ?? 0 >= 50 }
            let top = try scratch.ipn("top", "net", "--interval", "0.2")
            try await until("it has been looked at") { top.output.contains("a.mkv") }
            recorder.send(SIGCONT)
            try await until("it shows \(top.output.suffix(500))") { try Self.delays(of: "a.mkv", in: top.output).contains { $0.p99 >= 300 } }
            top.send(SIGINT)
            try await top.succeeded()
            let most = Double((ContinuousClock.now - began).components.seconds + 1) * 1000
            let delays = try Self.delays(of: "a.mkv", in: top.output)
            #expect(delays.allSatisfy { 0 < $0.p50 && $0.p50 <= $0.p99 && $0.p99 <= most }, "\(delays)")
            #expect(top.output.split(separator: "\n").filter { $0.contains("a.mkv") }.allSatisfy { $0.count <= 80 }, "\(top.output)")
            recorder.send(SIGINT)
            try await recorder.succeeded()
        }
    }

    /// P50 and P99 in milliseconds, of each row of a table that has any.
    private static func delays(of name: String, in text: String) throws -> [(p50: Double, p99: Double)] {
        try text.split(separator: "\n").filter { $0.contains(name) }.compactMap { row in
            let cells = row.split(separator: " ")
            guard cells.count > 9, cells[7] != "-" else { return nil }
            return (try milliseconds(cells[7]), try milliseconds(cells[8]))
        }
    }

    private static func milliseconds(_ cell: Substring) throws -> Double {
        let match = try #require(cell.wholeMatch(of: /([0-9.]+)(us|ms|s)/), "\(cell)")
        return try #require(Double(match.1)) * (match.2 == "us" ? 0.001 : match.2 == "ms" ? 1 : 1000)
    }
}
