import Glibc
import Testing

/// What a publisher keeps for those who join later.
@Suite(.onStage) struct HistoryFlowTests {
    /// A live network of a picture whose key frames are half a minute apart, of which some seconds have been sent.
    private func live(_ scratch: Scratch, seconds: Int, _ arguments: String...) async throws -> Program {
        _ = try await tool(
            "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=60", "-c:v", "libx264", "-preset",
            "ultrafast", "-g", "750", "-keyint_min", "750", "-sc_threshold", "0", "far.mkv", in: scratch)
        let publisher = try scratch.ipn(["publish", "far.mkv", "net"] + arguments)
        try await until("some seconds were sent") { try await scratch.show("net")?.messages ?? 0 > seconds * 25 }
        return publisher
    }

    private func end(_ publisher: Program, _ scratch: Scratch) async throws {
        publisher.send(SIGINT)
        try await publisher.succeeded()
        try await scratch.expectNothingLeft()
    }

    @Test func aJoinerHasAPictureAtOnce() async throws {
        let scratch = try Scratch()
        let publisher = try await live(scratch, seconds: 3)
        try await scratch.ipn("record", "net", "late.mkv", "--duration", "0.5").succeeded()
        let packets = try await Recording("late.mkv", in: scratch).packets()
        #expect(packets.first?.isKey == true)
        // All since the key frame, though half a second was recorded.
        #expect(packets.count > 3 * 25)
        try await Recording("late.mkv", in: scratch).play()
        // Who does not want the past waits for the next key frame.
        let patient = try scratch.ipn("record", "net", "next.mkv", "--duration", "0.5", "--join", "next")
        #expect(try await patient.ended().status == 1)
        #expect(patient.complaint == "ipn: net: nothing was recorded: no key frame came before the end\n")
        try await end(publisher, scratch)
    }

    @Test func withoutHistoryOneWaitsForTheNextKeyFrame() async throws {
        let scratch = try Scratch()
        let publisher = try await live(scratch, seconds: 1, "--history", "none")
        let recorder = try scratch.ipn("record", "net", "late.mkv", "--duration", "0.5")
        #expect(try await recorder.ended().status == 1)
        try await end(publisher, scratch)
    }

    @Test func moreThanTheLastKeyFrameIsKeptOnRequest() async throws {
        let scratch = try Scratch()
        let signal = try scratch.ipn("publish", "test:", "net", "--history", "1min", "--wait-readers", "1")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let stays = try scratch.ipn("record", "net", "stays.mkv")
        try await scratch.awaitProgress(of: "stays.mkv", by: 150)
        let late = [try scratch.ipn("record", "net", "all.mkv", "--join", "all"), try scratch.ipn("record", "net", "last.mkv")]
        for name in ["all.mkv", "last.mkv"] { try await scratch.awaitProgress(of: name) }
        signal.send(SIGINT)
        for program in [signal, stays] + late { try await program.succeeded() }
        let count = { (name: String) in try await Recording(name, in: scratch).packets().count }
        #expect(try await count("all.mkv") == count("stays.mkv"))
        #expect(try await count("last.mkv") < count("all.mkv"))
        #expect(try await Recording("last.mkv", in: scratch).flaws() == [])
        try await scratch.expectNothingLeft()
    }

    /// What the network keeps may be less than what lies between two key frames: an encoder of ours then makes one for who comes, and a
    /// file says it.
    @Test func aKeyFrameThatIsFurtherBackThanWhatIsKept() async throws {
        let scratch = try Scratch()
        let signal = try scratch.ipn("publish", "test:gop=60000,rate=60,size=128x96", "net", "--speed", "4")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let stays = try scratch.ipn("record", "net", "stays.mkv")
        try await scratch.awaitProgress(of: "stays.mkv", by: 2100)
        try await scratch.ipn("record", "net", "late.mkv", "--duration", "1").succeeded()
        #expect(try await Recording("late.mkv", in: scratch).flaws(rate: 60) == [])
        signal.send(SIGINT)
        for program in [signal, stays] { try await program.succeeded() }
        #expect(signal.complaint == "")

        _ = try await tool(
            "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=100:duration=60", "-c:v", "libx264", "-preset",
            "ultrafast", "-g", "6000", "-keyint_min", "6000", "-sc_threshold", "0", "long.mkv", in: scratch)
        let publisher = try scratch.ipn("publish", "long.mkv", "net", "--speed", "5")
        try await until("it is said") { publisher.complaint.contains("the last key frame lies further back than the 2048 messages") }
        #expect(publisher.complaint.split(separator: "\n").count == 1 && publisher.complaint.contains("--history"))
        try await end(publisher, scratch)
    }

    /// A file stood still meanwhile, so what was sent before still comes before what is sent next.
    @Test func afterARestAFileGoesOnWithAPictureAtOnce() async throws {
        let scratch = try Scratch()
        let publisher = try await live(scratch, seconds: 0, "--on-demand", "--rest-after", "0")
        for name in ["one.mkv", "two.mkv", "three.mkv"] {
            try await scratch.ipn("record", "net", name, "--duration", "1").succeeded()
            #expect(try await Recording(name, in: scratch).flaws() == [])
            try await until("it rests") {
                try await scratch.show("net")?.nodes.contains { $0.description.hasSuffix(", resting") } == true
            }
        }
        try await end(publisher, scratch)
    }

    /// A camera that nobody looks at is not worth its current: the source begins with the first reader.
    @Test func onDemandASourceRests() async throws {
        let scratch = try Scratch()
        let publisher = try await live(scratch, seconds: 0, "--on-demand", "--rest-after", "0")
        #expect(try await scratch.show("net")?.nodes.contains { $0.description.hasSuffix(", resting") } == true)
        try await scratch.ipn("record", "net", "one.mkv", "--duration", "1").succeeded()
        let packets = try await Recording("one.mkv", in: scratch).packets()
        #expect(packets.first?.isKey == true && packets.count < 100)
        try await until("it rests again") {
            try await scratch.show("net")?.nodes.contains { $0.description.hasSuffix(", resting") } == true
        }
        try await end(publisher, scratch)
    }
}
