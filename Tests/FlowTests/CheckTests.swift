import Foundation
import Glibc
import Testing

/// `ipn check`: what is whole, what is not, and what can be made of that.
@Suite(.onStage) struct CheckTests {
    private func check(_ scratch: Scratch, _ arguments: String...) async throws -> (status: Int32?, text: String) {
        let program = try Program([Scratch.executable, "check"] + arguments, in: scratch)
        let end = try await program.ended()
        return (end.status, program.output + program.complaint)
    }

    @Test func whatIsWholeIsCalledSo() async throws {
        let scratch = try Scratch()
        let (status, text) = try await check(scratch, Fixture.bunny)
        #expect(status == 0)
        #expect(text.contains("bigbuckbunny.mp4: whole: 5.3 s; #0 h264") && text.contains("132 packets"))
    }

    @Test func whatIsNoRecordingIsRefused() async throws {
        let scratch = try Scratch()
        try Data("This is no media file.".utf8).write(to: URL(fileURLWithPath: scratch.file("x.mp4")))
        #expect(try await check(scratch, "x.mp4").status == 1)
        #expect(try await check(scratch, "x.mp4", "--repair").status == 1)
        let (status, text) = try await check(scratch, "none.mp4")
        #expect(status == 1 && text.hasPrefix("ipn: none.mp4: ") && text.contains("No such file"))
        #expect(try await check(scratch, "x.mp4", "--output", "y.mp4").status == 2)
        #expect(try scratch.names() == ["x.mp4"])
        #expect(try String(contentsOfFile: scratch.file("x.mp4"), encoding: .utf8) == "This is no media file.")
    }

    /// A fragmented file that was cut off anywhere becomes an ordinary one that plays without a complaint.
    @Test func fragmentedFilesThatWereCutOff() async throws {
        let scratch = try Scratch()
        try await tool(
            "ffmpeg", "-v", "error", "-i", Fixture.bunny, "-c", "copy", "-movflags", "+delay_moov+default_base_moof", "-frag_duration",
            "500000", scratch.file("whole.mp4"), in: scratch)
        let whole = try Data(contentsOf: URL(fileURLWithPath: scratch.file("whole.mp4")))
        var last = 0
        // Not even the first picture is whole.
        try whole.prefix(60_000).write(to: URL(fileURLWithPath: scratch.file("cut.mp4")))
        #expect(try await check(scratch, "cut.mp4", "--repair").status == 1)
        #expect(scratch.size("cut.mp4") == 60_000)
        for part in 2...12 {
            let size = whole.count * part / 12 - (part == 12 ? 0 : 77 * part)
            try whole.prefix(size).write(to: URL(fileURLWithPath: scratch.file("cut.mp4")))
            let before = try await check(scratch, "cut.mp4")
            #expect(before.status == 5, "\(size): \(before.text)")
            let repaired = try await check(scratch, "cut.mp4", "--repair")
            #expect(repaired.status == 0 && repaired.text.contains("repaired"), "\(size): \(repaired.text)")
            let after = try await check(scratch, "cut.mp4")
            #expect(after.status == 0, "\(size): \(after.text)")
            let recording = Recording("cut.mp4", in: scratch)
            try await recording.play()
            let packets = try await recording.packets().count
            #expect(packets >= last)
            last = packets
        }
        #expect(last == 132)
        for stream in ["v", "a"] {
            #expect(try await Recording("cut.mp4", in: scratch).contents(stream) == Recording(Fixture.bunny, in: scratch).contents(stream))
        }
    }

    /// Others are copied into a new file, which takes the old one's place; the old one stays where that goes wrong.
    @Test func otherFilesThatWereCutOff() async throws {
        let scratch = try Scratch()
        for name in ["x.mkv", "x.ts"] {
            try await tool("ffmpeg", "-v", "error", "-i", Fixture.bunny, "-c", "copy", "-an", scratch.file("whole-\(name)"), in: scratch)
            let whole = try Data(contentsOf: URL(fileURLWithPath: scratch.file("whole-\(name)")))
            try whole.prefix(whole.count * 2 / 3 + 1).write(to: URL(fileURLWithPath: scratch.file(name)))
            #expect(try await check(scratch, name).status == 5, "\(name)")
            #expect(try await check(scratch, name, "--repair", "--output", "new-\(name)").status == 0, "\(name)")
            #expect(try await check(scratch, name).status == 5, "\(name) was changed")
            #expect(try await check(scratch, "new-\(name)").status == 0, "\(name)")
            #expect(try await check(scratch, name, "--repair").status == 0, "\(name)")
            #expect(try await check(scratch, name).status == 0, "\(name)")
            // Where a transport stream's last picture ends nobody can tell: it may be half of one.
            if name != "x.ts" { try await Recording(name, in: scratch).play() }
            #expect(try await Recording(name, in: scratch).packets().count > 60)
        }
        #expect(try scratch.names() == ["new-x.mkv", "new-x.ts", "whole-x.mkv", "whole-x.ts", "x.mkv", "x.ts"])
    }

    /// A recorder's own list tells the next one what was not ended.
    @Test func theNextRecorderPutsInOrderWhatTheLastLeft() async throws {
        let scratch = try Scratch()
        let publisher = try scratch.ipn("publish", "test:", "net")
        try await until("the network is there") { try await scratch.show("net")?.writers == 1 }
        let first = try scratch.ipn("record", "net", "cam-%Y.mp4", "--segment", "1h")
        try await scratch.awaitProgress(of: "cam-%Y.mp4", by: 200)
        // While it is being written nobody else may have it.
        let name = try #require(try SegmentTests.index("cam.json", scratch).segments.first?.name)
        try await expectComplaint(
            try scratch.ipn("record", "net", "cam-%Y.mp4", "--segment", "1h"), status: 1, "cam.json: ", "another recorder")
        let busy = try await check(scratch, name, "--repair")
        #expect(busy.status == 1 && busy.text.contains("being recorded"))
        first.send(SIGKILL)
        _ = try await first.ended()
        let second = try scratch.ipn("record", "net", "cam-%Y.mp4", "--segment", "1h", "--duration", "3s")
        try await second.succeeded()
        #expect(second.complaint.contains("\(name): its recorder was killed; put in order"), "\(second.complaint)")
        let index = try SegmentTests.index("cam.json", scratch).segments
        #expect(index.map(\.ended) == ["killed", "duration"])
        for segment in index { #expect(try await check(scratch, segment.name).status == 0) }
        publisher.send(SIGINT)
        try await publisher.succeeded()
    }
}
