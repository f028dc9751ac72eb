import Glibc
import Testing

/// One publisher, three recorders, a network that holds the publisher up: nothing is lost or changed.
@Suite(.onStage) struct LosslessCopyTests {
    @Test func everyRecorderHasEveryPacket() async throws {
        let scratch = try Scratch()
        let publisher = try scratch.ipn(
            "publish", "--fast", "--lossless", "--wait-readers", "3", Fixture.bunny, "net")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let recorders = try (1...3).map { try scratch.ipn("record", "net", "\($0).mp4") }
        try await publisher.succeeded()
        for recorder in recorders {
            try await recorder.succeeded()
            #expect(recorder.complaint == "")
        }
        let input = Recording(Fixture.bunny, in: scratch)
        for stream in ["v", "a"] {
            let wanted = try await input.checksums(stream)
            #expect(wanted.count > 100)
            for number in 1...3 {
                #expect(try await Recording("\(number).mp4", in: scratch).checksums(stream) == wanted, "\(number).mp4 \(stream)")
            }
        }
        try await scratch.expectNothingLeft()
        #expect(try scratch.names() == ["1.mp4", "2.mp4", "3.mp4"])
    }

    /// A consumer that stands still holds the publisher up, and loses nothing; one that dies sets it free.
    @Test func aStoppedRecorderHoldsUpAndADeadOneDoesNot() async throws {
        let scratch = try Scratch()
        let publisher = try scratch.ipn(
            "publish", "--fast", "--lossless", "--pool", "8", "--wait-readers", "2", Fixture.bunny, "net")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let dies = try scratch.ipn("record", "net", "dies.mkv")
        try await scratch.awaitReaders(1, "net")
        try await dies.suspend()
        let lives = try scratch.ipn("record", "net", "lives.mp4")
        // Held up: the pool is full, and the one that goes has nothing to read.
        try await until("the stopped one holds the publisher up") {
            try await scratch.show("net")?.nodes.contains { $0.pending >= 8 } ?? false
        }
        #expect(publisher.isRunning && lives.isRunning)
        dies.send(SIGKILL)
        try await publisher.succeeded()
        try await lives.succeeded()
        let input = Recording(Fixture.bunny, in: scratch)
        for stream in ["v", "a"] {
            #expect(try await Recording("lives.mp4", in: scratch).checksums(stream) == input.checksums(stream))
        }
        try await scratch.expectNothingLeft()
    }
}
