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
            #expect(delay.p99 >= 300 && delay.mean > 0 && delay.p50 <= delay.p99, "\(delay)")
            // The same test signal on one clock: half a second apart they are only where somebody miscounts.
            let skew = try #require(delay.skew)
            #expect(abs(skew) < 500, "\(delay)")
            #expect(after.receivedBytes > 0)
            recorder.send(SIGINT)
            try await recorder.succeeded()
        }
    }

    @Test func topTellsOfTheDelay() async throws {
        try await withLiveNetwork { scratch in
            let recorder = try scratch.ipn("record", "net", "a.mkv")
            try await scratch.awaitProgress(of: "a.mkv")
            let top = try scratch.ipn("top", "net", "--once", "--interval", "0.5")
            try await top.succeeded()
            let lines = top.output.split(separator: "\n").map(String.init)
            let reader = try #require(lines.first { $0.contains("a.mkv") })
            let title = try #require(lines.first { $0.contains("P99") })
            let p99 = try #require(title.split(separator: " ").firstIndex(of: "P99"))
            #expect(reader.split(separator: " ")[p99].hasSuffix("s") && reader.count <= 80, "\(lines)")
            recorder.send(SIGINT)
            try await recorder.succeeded()
        }
    }
}
