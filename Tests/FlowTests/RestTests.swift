import Glibc
import Testing

/// A producer that makes its pictures itself makes none while nobody looks.
@Suite(.onStage) struct RestTests {
    @Test func theTestSignalRestsUntilSomebodyReads() async throws {
        let scratch = try Scratch()
        let publisher = try scratch.ipn("publish", "test:", "net")
        try await until("the network is there") { try await scratch.show("net")?.writers == 1 }
        try await expectRest(publisher, scratch)
        for round in 1...2 {
            let recorder = try scratch.ipn("record", "net", "\(round).mkv", "--duration", "3")
            try await recorder.succeeded()
            let recording = Recording("\(round).mkv", in: scratch)
            #expect(try await recording.flaws() == [])
            #expect(try await recording.packets().count > 10)
            try await expectRest(publisher, scratch)
        }
        publisher.send(SIGINT)
        try await publisher.succeeded()
        try await scratch.expectNothingLeft()
    }

    /// Over many looks, in which a producer that works would send hundreds of messages.
    private func expectRest(_ publisher: Program, _ scratch: Scratch) async throws {
        try await scratch.awaitReaders(0, "net")
        var before = try await scratch.show("net")?.messages
        // It may be just about to notice.
        try await until("no more messages") {
            let now = try await scratch.show("net")?.messages
            defer { before = now }
            return now == before
        }
        let ticks = publisher.stat?.ticks ?? 0
        for _ in 1...30 {
            #expect(try await scratch.show("net")?.messages == before)
            try await Task.sleep(for: .milliseconds(20))
        }
        // A working one takes some ticks for every picture.
        #expect((publisher.stat?.ticks ?? .max) - ticks <= 2)
    }
}
