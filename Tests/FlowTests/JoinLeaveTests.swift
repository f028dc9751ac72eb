import Glibc
import Testing

/// Consumers come and go while the stream runs.
@Suite(.onStage) struct JoinLeaveTests {
    /// Starts a live network with one recorder that stays.
    private func live(_ scratch: Scratch) async throws -> (publisher: Program, stays: Program) {
        let publisher = try scratch.ipn("publish", "test:", "net")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let stays = try scratch.ipn("record", "net", "stays.mkv")
        try await scratch.awaitProgress(of: "stays.mkv")
        return (publisher, stays)
    }

    private func end(_ publisher: Program, _ stays: Program, _ scratch: Scratch) async throws {
        publisher.send(SIGINT)
        try await publisher.succeeded()
        try await stays.succeeded()
        let recording = Recording("stays.mkv", in: scratch)
        #expect(try await recording.flaws() == [])
        try await scratch.expectNothingLeft()
    }

    @Test(arguments: ["late.mp4", "late.mkv", "late.ts"]) func aLateRecorderBeginsAtAKeyFrameAndEndsInTime(name: String) async throws {
        let scratch = try Scratch()
        let (publisher, stays) = try await live(scratch)
        let late = try scratch.ipn("record", "net", name, "--duration", "3")
        try await late.succeeded()
        #expect(late.complaint == "")
        let recording = Recording(name, in: scratch)
        let packets = try await recording.packets()
        #expect(packets.first?.isKey == true)
        // A transport stream begins at its own offset.
        if name != "late.ts" { #expect((0..<0.2).contains(packets.first?.pts ?? -1)) }
        #expect(packets.count > 10)
        try await recording.play()
        try await end(publisher, stays, scratch)
    }

    @Test(arguments: ["late.mp4", "late.mkv"], [SIGINT, SIGTERM, SIGHUP])
    func aRecorderThatIsAskedToStopWritesItsEnd(name: String, signal: CInt) async throws {
        let scratch = try Scratch()
        let (publisher, stays) = try await live(scratch)
        let late = try scratch.ipn("record", "net", name)
        try await scratch.awaitReaders(2, "net")
        try await scratch.awaitProgress(of: "stays.mkv", by: 120)
        late.send(signal)
        try await late.succeeded()
        let recording = Recording(name, in: scratch)
        #expect(try await recording.flaws() == [])
        try await recording.play()
        try await end(publisher, stays, scratch)
    }

    /// Every one of many newcomers is told what is sent, whenever it comes.
    @Test func nobodyWhoJoinsIsLeftWithoutADescription() async throws {
        let scratch = try Scratch()
        let (publisher, stays) = try await live(scratch)
        for round in 1...12 {
            // It ends as soon as it has been told: nothing tells the container.
            let joiner = try scratch.ipn("record", "net", "joiner-\(round)")
            #expect(try await joiner.ended().status == 1)
            #expect(joiner.complaint.contains("does not tell the container"), "\(joiner.complaint)")
        }
        try await end(publisher, stays, scratch)
    }

    /// News of who is there coalesce: a publisher that was busy sees the same number of readers as before.
    @Test func whoTakesAnothersPlaceIsToldToo() async throws {
        let scratch = try Scratch()
        let (publisher, stays) = try await live(scratch)
        let leaves = try scratch.ipn("record", "net", "leaves.mkv")
        try await scratch.awaitProgress(of: "leaves.mkv")
        try await publisher.suspend()
        leaves.send(SIGKILL)
        try await scratch.awaitReaders(1, "net")
        let comes = try scratch.ipn("record", "net", "comes.mkv")
        try await scratch.awaitReaders(2, "net")
        publisher.resume()
        try await scratch.awaitProgress(of: "comes.mkv")
        publisher.send(SIGINT)
        try await publisher.succeeded()
        for recorder in [stays, comes] { try await recorder.succeeded() }
        #expect(try await Recording("comes.mkv", in: scratch).packets().first?.isKey == true)
        try await scratch.expectNothingLeft()
    }

    /// A live network, one recorder that stays, and one that has slept through the description and all that the network
    /// keeps for it.
    private func oneMissesTheDescription(
        _ scratch: Scratch, source: String = "test:"
    ) async throws -> (publisher: Program, stays: Program, sleeps: Program) {
        let publisher = try scratch.ipn("publish", source, "net", "--pool", "16", "--history", "none")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let stays = try scratch.ipn("record", "net", "stays.mkv")
        try await scratch.awaitProgress(of: "stays.mkv")
        // The recorder is stopped while the publisher, which would tell it, is stopped itself.
        try await publisher.suspend()
        let sleeps = try scratch.ipn("record", "net", "sleeps.mkv")
        try await scratch.awaitReaders(2, "net")
        try await sleeps.suspend()
        publisher.resume()
        try await until("it has missed a lot") {
            try await scratch.show("net")?.nodes.contains { $0.pid == sleeps.processID && $0.pending > 40 } ?? false
        }
        return (publisher, stays, sleeps)
    }

    /// It begins a little later, where the publisher tells again what it sends.
    @Test func whoMissesTheDescriptionGetsAnother() async throws {
        let scratch = try Scratch()
        let (publisher, stays, sleeps) = try await oneMissesTheDescription(scratch)
        sleeps.resume()
        try await until("the recording has begun") { scratch.has("sleeps.mkv") }
        publisher.send(SIGINT)
        try await publisher.succeeded()
        for recorder in [stays, sleeps] { try await recorder.succeeded() }
        #expect(try await Recording("sleeps.mkv", in: scratch).packets().first?.isKey == true)
        try await scratch.expectNothingLeft()
    }

    /// Where no other comes, the end of the stream is its end all the same.
    @Test func whoNeverGetsADescriptionEndsWithTheStream() async throws {
        let scratch = try Scratch()
        // It tells again before a key frame: none comes in time.
        let (publisher, stays, sleeps) = try await oneMissesTheDescription(scratch, source: "test:gop=100000")
        publisher.send(SIGINT)
        try await publisher.succeeded()
        sleeps.resume()
        #expect(try await sleeps.ended().status == 1)
        #expect(sleeps.complaint == "ipn: net: nothing was recorded: no key frame came before the end\n")
        try await stays.succeeded()
        try await scratch.expectNothingLeft()
    }

    @Test func whoeverLeavesBeforeAnythingCameSaysSo() async throws {
        let scratch = try Scratch()
        try await scratch.ipn("create", "net").succeeded()
        let recorder = try scratch.ipn("record", "net", "none.mkv", "--duration", "0.2")
        #expect(try await recorder.ended().status == 1)
        #expect(recorder.complaint == "ipn: net: nothing was recorded: no key frame came before the end\n")
        #expect(try scratch.names() == ["net"])
        try await scratch.ipn("remove", "net").succeeded()
        try await scratch.expectNothingLeft()
    }
}
