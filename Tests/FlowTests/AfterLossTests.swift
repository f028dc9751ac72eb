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
            // Beside what it has to say.
            let record = try #require(program.complaint.split(separator: "\n").last { $0.hasPrefix("progress ") }, "\(program.complaint)")
            let words = record.split(separator: " ")
            try #require(words.count == 10)
            packets = try #require(UInt64(words[2]))
            lost = try #require(UInt64(words[4]))
            passedOver = try #require(UInt64(words[8]))
            lostTime = try #require(Double(words[9])) / 1e9
        }
    }

    private static let choices = ["next", "newest"]

    private func consumer(_ command: String, _ choice: String, in scratch: Scratch) throws -> Program {
        let words: [String] =
            switch command {
            case "play": ["--terminal", "--no-sound", "--progress-descriptor", "2"]
            case "serve": ["--listen", "127.0.0.1:0", "--progress-descriptor", "2"]
            case "pipe": []
            default: ["\(choice).mkv", "--progress-descriptor", "2"]
            }
        let output = command == "pipe" ? scratch.file("\(choice).mkv") : nil
        return try scratch.ipn([command, "net"] + words + ["--after-loss", choice], output: output)
    }

    /// Two are held up together, for longer than is kept: one goes on at the first key frame that is there, the other at the last.
    @Test(arguments: ["record", "stream", "pipe", "serve", "play"]) func atTheNextKeyFrameOrAtTheNewest(command: String) async throws {
        let scratch = try Scratch()
        // A key frame every 0.2 s, and messages of almost a second are kept.
        let publisher = try scratch.ipn("publish", "test:gop=5,size=160x90", "net", "--pool", "64", "--history", "none")
        try await until("the network is there") { try await scratch.show("net")?.writers == 1 }
        let consumers = try Self.choices.map { try consumer(command, $0, in: scratch) }
        for consumer in consumers { try await scratch.awaitProgress(of: consumer, by: 20) }
        for consumer in consumers { try await consumer.suspend() }
        func sent() async throws -> UInt64 { try await scratch.show("net")?.nodes.first { $0.sends }?.sent ?? 0 }
        let before = try await sent()
        try await until("more was sent than is kept") { try await sent() >= before + 100 }
        // Both find the same.
        try await publisher.suspend()
        for consumer in consumers { consumer.resume() }
        try await until("both have read it") { try await scratch.show("net")?.nodes.allSatisfy { $0.pending == 0 } == true }
        publisher.resume()
        for consumer in consumers { try await scratch.awaitProgress(of: consumer, by: 40) }
        let shown = try await scratch.show("net")?.nodes ?? []
        try await expectRows(of: consumers, in: scratch)
        publisher.send(SIGINT)
        try await publisher.succeeded()
        for consumer in consumers { try await consumer.succeeded() }
        if command != "pipe" {
            let (next, newest) = (try Report(consumers[0]), try Report(consumers[1]))
            // 64 of the 100 and more were left.
            #expect(next.lost >= 30 && newest.lost >= 30)
            #expect(next.passedOver == 0 && newest.passedOver > 0, "\(newest)")
        }
        for consumer in consumers {
            let seconds = try #require(shown.first { $0.pid == consumer.processID }?.lostSeconds)
            // More may have been lost since.
            let told = command == "pipe" ? .infinity : try Report(consumer).lostTime
            #expect(0.4 <= seconds && seconds <= told + 0.001, "\(seconds) s were shown, \(told) s were told")
        }
        if scratch.has("next.mkv") { try await expectGaps(of: consumers, isTold: command != "pipe", in: scratch) }
        try await scratch.expectNothingLeft()
    }

    /// `ipn top` says how much of the stream is missing, to people and to programs.
    private func expectRows(of consumers: [Program], in scratch: Scratch) async throws {
        let top = ["top", "net", "--once", "--interval", "0.1"]
        let table = try scratch.ipn(top)
        try await table.succeeded()
        let lines = try scratch.ipn(top + ["--json"])
        try await lines.succeeded()
        let look = try JSONDecoder().decode(Look.self, from: Data(lines.output.utf8))
        for consumer in consumers {
            let row = try #require(table.output.split(separator: "\n").first { $0.contains(" \(consumer.processID) ") })
            let missing = try #require(row.split(separator: " ")[5].wholeMatch(of: /([0-9.]+)(ms|s)/), "\(row)")
            let seconds = try #require(Double(missing.1)) * (missing.2 == "s" ? 1 : 0.001)
            let node = look.networks.flatMap(\.nodes).first { $0.pid == consumer.processID }
            #expect(try seconds >= 0.4 && seconds <= #require(node?.lostSeconds) + 0.05, "\(row)")
        }
    }

    private struct Look: Decodable {
        struct Network: Decodable { let nodes: [Node] }
        struct Node: Decodable {
            let pid: Int32
            let lostSeconds: Double?
        }
        let networks: [Network]
    }

    /// As long a gap as was told, and behind it a key frame.
    private func expectGaps(of consumers: [Program], isTold: Bool, in scratch: Scratch) async throws {
        var missing: [Double] = []
        for (choice, consumer) in zip(Self.choices, consumers) {
            let recording = Recording("\(choice).mkv", in: scratch)
            let packets = try await recording.packets().sorted { $0.pts < $1.pts }
            let gaps = zip(packets, packets.dropFirst()).filter { $1.pts - $0.pts > 0.05 }
            #expect(gaps.allSatisfy { $1.isKey } && !gaps.isEmpty, "\(choice): \(gaps)")
            // From the end of the picture before it, at 25 a second.
            missing.append(gaps.reduce(0) { $0 + $1.1.pts - $1.0.pts - 0.04 })
            if isTold {
                let told = try Report(consumer).lostTime
                #expect(abs(missing[missing.count - 1] - told) < 0.005, "\(choice): \(missing) s are missing, \(told) s were told")
            }
            try await recording.play()
        }
        #expect(missing[0] < missing[1])
    }
}
