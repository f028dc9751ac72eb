import Foundation
import Glibc
import Testing

/// Where consumers go on that have lost something.
@Suite(.onStage) struct AfterLossTests {
    /// The last record of `--progress-descriptor`.
    private struct Report {
        let packets, lost, passedOver: UInt64
        /// Seconds.
        let lostTime: Double

        init(_ program: Program) throws {
            let words = try #require(program.output.split(separator: "\n").last).split(separator: " ")
            try #require(words.count == 10)
            packets = try #require(UInt64(words[2]))
            lost = try #require(UInt64(words[4]))
            passedOver = try #require(UInt64(words[8]))
            lostTime = try #require(Double(words[9])) / 1e9
        }
    }

    /// Two are held up together, for longer than is kept: one goes on at the first key frame that is there, the other at the last.
    @Test func atTheNextKeyFrameOrAtTheNewest() async throws {
        let scratch = try Scratch()
        // A key frame every 0.2 s, and messages of almost a second are kept.
        let publisher = try scratch.ipn("publish", "test:gop=5", "net", "--pool", "64", "--history", "none")
        try await until("the network is there") { try await scratch.show("net")?.writers == 1 }
        let choices = ["next", "newest"]
        let recorders = try choices.map {
            try scratch.ipn("record", "net", "\($0).mkv", "--after-loss", $0, "--progress-descriptor", "1")
        }
        for choice in choices { try await scratch.awaitProgress(of: "\(choice).mkv", by: 20) }
        for recorder in recorders { try await recorder.suspend() }
        func sent() async throws -> UInt64 { try await scratch.show("net")?.nodes.first { $0.sends }?.sent ?? 0 }
        let before = try await sent()
        try await until("more was sent than is kept") { try await sent() >= before + 100 }
        for recorder in recorders { recorder.resume() }
        for choice in choices { try await scratch.awaitProgress(of: "\(choice).mkv", by: 100) }
        publisher.send(SIGINT)
        try await publisher.succeeded()
        for recorder in recorders { try await recorder.succeeded() }
        let (next, newest) = (try Report(recorders[0]), try Report(recorders[1]))
        // 64 of the 100 and more were left.
        #expect(next.lost >= 30 && newest.lost >= 30)
        #expect(next.passedOver == 0 && newest.passedOver > 0, "\(newest)")
        for (choice, report) in zip(choices, [next, newest]) {
            let recording = Recording("\(choice).mkv", in: scratch)
            let packets = try await recording.packets().sorted { $0.pts < $1.pts }
            // As long a gap as was told, and behind it a key frame.
            let gaps = zip(packets, packets.dropFirst()).filter { $1.pts - $0.pts > 0.05 }
            #expect(gaps.allSatisfy { $1.isKey } && !gaps.isEmpty, "\(choice): \(gaps)")
            let missing = gaps.reduce(0) { $0 + $1.1.pts - $1.0.pts }
            #expect(abs(missing - report.lostTime) < 0.3, "\(choice): \(missing) s are missing, \(report.lostTime) s were told")
            try await recording.play()
        }
        try await scratch.expectNothingLeft()
    }
}
