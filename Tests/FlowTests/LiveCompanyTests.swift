import Glibc
import Testing

/// On a LOSSY network nobody suffers from another consumer, whatever becomes of it.
@Suite(.onStage) struct LiveCompanyTests {
    @Test func deadStoppedAndSlowConsumersHarmNobody() async throws {
        let scratch = try Scratch()
        let publisher = try scratch.ipn("publish", "test:", "net", "--pool", "96")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let first = try scratch.ipn("record", "net", "first.mkv")
        try await scratch.awaitReaders(1, "net")
        let second = try scratch.ipn("record", "net", "second.mp4")
        let killed = try scratch.ipn("record", "net", "killed.mkv")
        let stopped = try scratch.ipn("record", "net", "stopped.mkv")
        let slow = try scratch.ipn("record", "net", "slow.mkv")
        // Two key frames' time: whoever is stopped has begun to record before.
        for name in ["first.mkv", "killed.mkv", "stopped.mkv", "slow.mkv"] { try await scratch.awaitProgress(of: name, by: 150) }

        // A recorder writes what it has at least once a second.
        try await until("something is in the file") { scratch.size("killed.mkv") > 10_000 }
        killed.send(SIGKILL)
        try await stopped.suspend()
        try await slow.suspend()
        // More than the network keeps for one: these are lost to it.
        try await until("the slow one is far behind") {
            try await scratch.show("net")?.nodes.contains { $0.pid == slow.processID && $0.pending > 400 } ?? false
        }
        slow.resume()
        try await scratch.awaitProgress(of: "slow.mkv")
        try await scratch.awaitProgress(of: "first.mkv")
        #expect(publisher.isRunning)
        publisher.send(SIGINT)
        try await publisher.succeeded()
        try await first.succeeded()
        try await second.succeeded()
        try await slow.succeeded()
        stopped.resume()
        try await stopped.succeeded()
        // What is missing is said, also where nobody watches a terminal.
        for (recorder, name) in [(slow, "slow"), (stopped, "stopped")] {
            let told = /^ipn: net: \d+ messages were lost on the way to record (\w+)\.mkv, \d+\.\d s of the stream\n$/
            #expect(try told.wholeMatch(in: recorder.complaint)?.1 == Substring(name), "\(recorder.complaint)")
        }
        #expect(try await killed.ended().signal == SIGKILL)

        for name in ["first.mkv", "second.mp4"] {
            let recording = Recording(name, in: scratch)
            #expect(try await recording.flaws() == [])
            try await recording.play()
        }
        // Who came later has all that the earlier one has from there on.
        let longer = try await Recording("first.mkv", in: scratch).contents("v")
        let shorter = try await Recording("second.mp4", in: scratch).contents("v")
        #expect(shorter.count > 50 && Array(longer.suffix(shorter.count)) == shorter)
        for name in ["slow.mkv", "stopped.mkv"] { try await expectResumedAtKeyFrame(Recording(name, in: scratch)) }
        // What a dead process has written so far can be read.
        #expect(try await Recording("killed.mkv", in: scratch).packets().count > 10)
        try await scratch.expectNothingLeft()
    }

    /// It lost something, and what it wrote afterwards begins with a picture that needs no other.
    private func expectResumedAtKeyFrame(_ recording: Recording) async throws {
        let packets = try await recording.packets()
        let gaps = zip(packets, packets.dropFirst()).filter { $1.pts - $0.pts > 0.05 }
        #expect(!gaps.isEmpty, "\(recording.path) was not slow")
        #expect(gaps.allSatisfy { $1.isKey }, "\(recording.path)")
        try await recording.play()
    }

    /// A file that is published over and over: time stamps go on rising.
    @Test func aLoopedFileGoesOn() async throws {
        let scratch = try Scratch()
        let publisher = try scratch.ipn("publish", Fixture.bunny, "net", "--loop", "--wait-readers", "1")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let recorder = try scratch.ipn("record", "net", "loop.mp4")
        // Once through it is 132 pictures and 249 packets of sound.
        try await scratch.awaitProgress(of: "loop.mp4", by: 440)
        publisher.send(SIGINT)
        try await publisher.succeeded()
        try await recorder.succeeded()
        let recording = Recording("loop.mp4", in: scratch)
        #expect(try await recording.packets().count > 135)
        // The sound of the clip is longer than its pictures, so the last one stays a little longer.
        let steps = try await recording.steps()
        #expect(steps.filter { $0 > 0.0421 }.count == 1)
        #expect(steps.allSatisfy { $0 > 0 && $0 < 0.2 })
        try await recording.play()
        try await scratch.expectNothingLeft()
    }
}
