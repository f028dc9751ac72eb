import Foundation
import Glibc
import Testing

/// `ipn tee`: one source, several consumers, one command; here without any display.
@Suite(.onStage) struct TeeTests {
    /// Nobody of the family runs any more, and the network left nothing behind.
    private func expectGone(_ tee: Program, _ scratch: Scratch) async throws {
        try await until("no process of tee is left") { tee.groupMembers.isEmpty }
        try await scratch.expectNothingLeft()
    }

    @Test func recordsStreamsAndPlaysAtOnce() async throws {
        let scratch = try Scratch()
        let tee = try scratch.ipn("tee", Fixture.bunny, "--record", "x.mkv", "--stream", "out/live.m3u8", "--play")
        try await tee.succeeded()
        let input = Recording(Fixture.bunny, in: scratch)
        for stream in ["v", "a"] {
            #expect(try await Recording("x.mkv", in: scratch).contents(stream) == input.contents(stream))
        }
        let playlist = try String(contentsOfFile: scratch.file("out/live.m3u8"), encoding: .utf8)
        #expect(playlist.contains("#EXT-X-ENDLIST"))
        let live = Recording("out/live.m3u8", in: scratch)
        #expect(try await live.packets().count == 132)
        try await live.play()
        for name in ["publish", "record", "stream", "play"] { #expect(tee.complaint.contains("\n\(name) "), "\(tee.complaint)") }
        #expect(!tee.complaint.contains("failed"))
        try await expectGone(tee, scratch)
    }

    @Test func endsByItselfAfterTheDuration() async throws {
        let scratch = try Scratch()
        let began = Date()
        let tee = try scratch.ipn("tee", "test:", "--record", "a.mkv", "--record", "b.mp4", "--duration", "2")
        try await tee.succeeded()
        // Bounds from below: how many pictures a busy machine makes in that time is its own matter.
        #expect(Date().timeIntervalSince(began) >= 2)
        for name in ["a.mkv", "b.mp4"] {
            let recording = Recording(name, in: scratch)
            #expect(try await recording.flaws() == [])
            try await recording.play()
        }
        // Both have all of it.
        let counts = try await [Recording("a.mkv", in: scratch).packets().count, Recording("b.mp4", in: scratch).packets().count]
        #expect(counts[0] == counts[1], "\(counts)")
        try await expectGone(tee, scratch)
    }

    /// Ctrl-C reaches the whole group, kill(1) only the head.
    @Test(arguments: [true, false]) func endsWellWhenAsked(toGroup: Bool) async throws {
        let scratch = try Scratch()
        let tee = try scratch.ipn("tee", "test:", "--record", "a.mp4", "--stream", "out/live.m3u8", "--record", "b.mkv")
        try await scratch.awaitProgress(of: "b.mkv", on: scratch.teeNetwork(), by: 120)
        tee.send(SIGINT, toGroup: toGroup)
        try await tee.succeeded()
        for name in ["a.mp4", "b.mkv"] {
            let recording = Recording(name, in: scratch)
            #expect(try await recording.flaws() == [], "\(name)")
            try await recording.play()
        }
        #expect(try String(contentsOfFile: scratch.file("out/live.m3u8"), encoding: .utf8).contains("#EXT-X-ENDLIST"))
        try await expectGone(tee, scratch)
    }

    @Test func aConsumerThatFailsHarmsNobodyAndIsTold() async throws {
        let scratch = try Scratch()
        let port = try Net.freePort()
        let tee = try scratch.ipn("tee", Fixture.bunny, "--record", "x.mkv", "--stream", "rtmp://127.0.0.1:\(port)/live/x")
        #expect(try await tee.ended().status == 1)
        let lines = tee.complaint.split(separator: "\n").filter { $0.hasPrefix("ipn: ") }
        #expect(lines.count == 1 && lines[0].contains("rtmp://127.0.0.1:\(port)/live/…: "), "\(tee.complaint)")
        #expect(lines.first?.contains("connection refused") == true, "\(tee.complaint)")
        let input = Recording(Fixture.bunny, in: scratch)
        #expect(try await Recording("x.mkv", in: scratch).contents("v") == input.contents("v"))
        try await expectGone(tee, scratch)
    }

    @Test func aConsumerThatFailedIsStartedAgain() async throws {
        let scratch = try Scratch()
        let tee = try scratch.ipn("tee", "test:", "--record", "a.mkv", "--record", "b.mkv", "--restart", "--network", "net")
        try await scratch.awaitProgress(of: "a.mkv")
        let victim = try #require(try await scratch.show("net")?.nodes.first { $0.description.contains("a.mkv") })
        kill(victim.pid, SIGKILL)
        try await scratch.awaitProgress(of: "a-2.mkv")
        tee.send(SIGINT)
        try await tee.succeeded()
        #expect(tee.complaint.contains("ipn: record a.mkv: it has failed, and is started again in 1 s\n"), "\(tee.complaint)")
        // What was lost with the process was not lost by the other; and the new one begins at a key frame.
        #expect(try await Recording("b.mkv", in: scratch).flaws() == [])
        #expect(try await Recording("a-2.mkv", in: scratch).flaws() == [])
        try await expectGone(tee, scratch)
    }

    @Test func aSourceThatIsNotThereEndsAll() async throws {
        let scratch = try Scratch()
        let tee = try scratch.ipn("tee", "nowhere.mp4", "--record", "x.mkv", "--play")
        #expect(try await tee.ended().status == 1)
        #expect(tee.complaint.contains("ipn: nowhere.mp4: cannot be opened: no such file"), "\(tee.complaint)")
        #expect(try scratch.names() == [])
        try await expectGone(tee, scratch)
    }

    /// A line that ran over would be two, and the next picture of the figures would stand below this one.
    @Test func noLineIsLongerThanTheTerminal() async throws {
        let scratch = try Scratch()
        let name = String(repeating: "long-", count: 20)
        let script = "stty cols 70 rows 20; '\(Scratch.executable)' tee test: --record \(name)a.mkv --record \(name)b.mkv --duration 2"
        let terminal = try Program(["script", "-qec", script, "/dev/null"], in: scratch)
        try await terminal.succeeded()
        let lines = terminal.output.split(whereSeparator: \.isNewline).filter { $0.contains("\u{1b}[K") }
            .map { $0.replacing(/\u{1b}\[[0-9]*[A-Z]/, with: "") }
        #expect(lines.contains { $0.hasSuffix("a.mkv") } && lines.contains { $0.hasSuffix("b.mkv") }, "\(terminal.output)")
        #expect(lines.allSatisfy { $0.count <= 70 }, "\(lines)")
        try await scratch.expectNothingLeft()
    }

    /// Its children do not outlive it.
    @Test func whatIsLeftOfAKilledTeeEnds() async throws {
        let scratch = try Scratch()
        let tee = try scratch.ipn("tee", "test:", "--record", "x.mkv", "--network", "net")
        try await scratch.awaitProgress(of: "x.mkv")
        #expect(tee.groupMembers.count == 3)
        tee.send(SIGKILL)
        #expect(try await tee.ended().signal == SIGKILL)
        try await expectGone(tee, scratch)
        #expect(try scratch.names() == ["x.mkv"])
        try await Recording("x.mkv", in: scratch).play()
    }
}
