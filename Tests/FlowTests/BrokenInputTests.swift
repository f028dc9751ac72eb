import Foundation
import Glibc
import Testing

/// Inputs whose time stamps or contents are not what they should be: said in one line where anything is lost, and the rest goes on.
@Suite(.onStage) struct BrokenInputTests {
    /// Two seconds, 50 pictures.
    private func film(_ name: String, _ options: String..., size: String = "160x90", in scratch: Scratch) async throws {
        let input = ["-f", "lavfi", "-i", "testsrc2=size=\(size):rate=25:duration=2"]
        let coding = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25"]
        try await tool(["ffmpeg", "-v", "error"] + input + coding + options + [name], in: scratch)
    }

    private func join(_ names: String..., into name: String, in scratch: Scratch) throws {
        let whole = try names.reduce(into: Data()) { try $0.append(Data(contentsOf: URL(fileURLWithPath: scratch.file($1)))) }
        try whole.write(to: URL(fileURLWithPath: scratch.file(name)))
    }

    /// - Returns: the lines of publisher and recorder.
    private func pass(_ name: String, to copy: String, in scratch: Scratch) async throws -> (publisher: [Substring], recorder: [Substring]) {
        let publisher = try scratch.ipn("publish", name, "net", "--wait-readers", "1", "--lossless", "--fast")
        try await until("the network is there \(publisher.complaint)") { try await scratch.show("net") != nil }
        let recorder = try scratch.ipn("record", "net", copy)
        try await publisher.succeeded()
        try await recorder.succeeded()
        try await scratch.expectNothingLeft()
        return (publisher.complaint.split(separator: "\n"), recorder.complaint.split(separator: "\n"))
    }

    @Test func timesThatJumpBack() async throws {
        let scratch = try Scratch()
        try await film("a.ts", in: scratch)
        try join("a.ts", "a.ts", into: "twice.ts", in: scratch)
        let (publisher, recorder) = try await pass("twice.ts", to: "copy.mkv", in: scratch)
        // Where one begins behind the other, the counters of a transport stream do not fit.
        #expect(publisher.count == 1 && publisher[0].contains("it is damaged"), "\(publisher)")
        #expect(recorder.count == 1 && recorder[0].contains("its time stamps jump back"), "\(recorder)")
        #expect(try await Recording("copy.mkv", in: scratch).packets().count == 100)
        #expect(try await Recording("copy.mkv", in: scratch).flaws() == [])
    }

    /// The clock of a transport stream goes round once in 26 hours and a half.
    @Test func timesThatWrap() async throws {
        let scratch = try Scratch()
        try await film("a.ts", "-output_ts_offset", "95442.7", in: scratch)
        let (publisher, recorder) = try await pass("a.ts", to: "copy.mkv", in: scratch)
        #expect(publisher.isEmpty && recorder.isEmpty, "\(publisher) \(recorder)")
        #expect(try await Recording("copy.mkv", in: scratch).packets().count == 50)
        #expect(try await Recording("copy.mkv", in: scratch).flaws() == [])
    }

    /// Bare H.264 has none, and its pictures still come at their rate.
    @Test func timesThatAreAbsent() async throws {
        let scratch = try Scratch()
        try await film("a.h264", in: scratch)
        let (publisher, recorder) = try await pass("a.h264", to: "copy.mkv", in: scratch)
        #expect(publisher.isEmpty && recorder.isEmpty, "\(publisher) \(recorder)")
        #expect(try await Recording("copy.mkv", in: scratch).packets().count == 50)
        #expect(try await Recording("copy.mkv", in: scratch).flaws() == [])
    }

    /// Where its pictures are not shown in the order in which they come, their own numbers tell when: as when coded into a file that has times.
    @Test(arguments: [("libx264", "h264"), ("libx265", "hevc")])
    func timesThatAreAbsentAndPicturesInAnotherOrder(encoder: String, name: String) async throws {
        let scratch = try Scratch()
        // Pyramids of pictures, and every now and then a scene that begins anew.
        let film = ["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=6", "-pix_fmt", "yuv420p", "-c:v", encoder, "-g", "40", "-bf", "4"]
        let silence = encoder == "libx265" ? ["-x265-params", "log-level=none"] : []
        try await tool(["ffmpeg", "-v", "error"] + film + silence + ["whole.mkv"], in: scratch)
        try await tool(["ffmpeg", "-v", "error", "-i", "whole.mkv", "-c", "copy", "bare.\(name)"], in: scratch)
        let (publisher, recorder) = try await pass("bare.\(name)", to: "copy.mkv", in: scratch)
        #expect(publisher.isEmpty && recorder.isEmpty, "\(publisher) \(recorder)")
        let copy = Recording("copy.mkv", in: scratch)
        #expect(try await copy.flaws() == [])
        let whole = try await Recording("whole.mkv", in: scratch).packets().map(\.pts)
        let start = try await copy.packets().first?.pts ?? 0
        // To the millisecond, which is all that Matroska knows.
        let wrong = zip(try await copy.packets().map { $0.pts - start }, whole.map { $0 - whole[0] }).filter { abs($0 - $1) > 0.002 }
        #expect(try await copy.packets().count == 150 && wrong.isEmpty, "\(wrong.prefix(3))")
        try await copy.play()
    }

    /// A program stream gives times to the first picture of each of its packets only. Where pictures are reordered nobody knows those of
    /// the others: they are left out, and what needs them with them, which is said once for the stream; its sound misses nothing.
    @Test func packetsWithoutATime() async throws {
        let scratch = try Scratch()
        let sources = ["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=2", "-f", "lavfi", "-i", "sine=duration=2"]
        let coding = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "10", "-bf", "2", "-c:a", "ac3", "-f", "vob", "a.mpg"]
        try await tool(["ffmpeg", "-v", "error"] + sources + coding, in: scratch)
        let (publisher, recorder) = try await pass("a.mpg", to: "copy.mkv", in: scratch)
        #expect(publisher.isEmpty, "\(publisher)")
        #expect(recorder.count == 1 && recorder[0].contains("h264 160x90 25 fps: packets without a time stamp are left out"), "\(recorder)")
        let (whole, copy) = (Recording("a.mpg", in: scratch), Recording("copy.mkv", in: scratch))
        #expect(try await copy.contents("a") == whole.contents("a"))
        let pictures = try await copy.packets()
        #expect((1..<50).contains(pictures.count) && pictures[0].isKey, "\(pictures)")
        try await copy.play()
    }

    /// Two recordings in one: libavformat takes a jump back by more than a minute for the clock that goes round.
    @Test(arguments: [("4000", "100"), ("100", "4000")]) func timesThatJumpFar(first: String, second: String) async throws {
        let scratch = try Scratch()
        let sound = ["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=2", "-f", "lavfi", "-i", "sine=duration=2"]
        for (name, offset) in [("a.ts", first), ("b.ts", second)] {
            let coding = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", "aac", "-output_ts_offset", offset]
            try await tool(["ffmpeg", "-v", "error"] + sound + coding + [name], in: scratch)
        }
        try join("a.ts", "b.ts", into: "both.ts", in: scratch)
        let (publisher, _) = try await pass("both.ts", to: "copy.mkv", in: scratch)
        #expect(publisher.count { $0.contains("both.ts: its time stamps jump") } == 1, "\(publisher)")
        let copy = Recording("copy.mkv", in: scratch)
        #expect(try await copy.packets().count == 100)
        #expect(try await copy.packets().map(\.pts).max() ?? 0 < 4.5)
        #expect(try await copy.packets("a").map(\.pts).max() ?? 0 < 4.5)
        // Not a tenth of a second is missing anywhere.
        #expect(try await copy.steps().allSatisfy { $0 < 0.1 })
    }

    @Test(arguments: ["ts", "mkv"]) func contentsThatAreBroken(container: String) async throws {
        let scratch = try Scratch()
        try await film("a.\(container)", in: scratch)
        var octets = [UInt8](try Data(contentsOf: URL(fileURLWithPath: scratch.file("a.\(container)"))))
        for place in octets.count / 2..<octets.count / 2 + 3000 { octets[place] = UInt8(truncatingIfNeeded: place &* 7919) }
        try Data(octets).write(to: URL(fileURLWithPath: scratch.file("broken.\(container)")))
        let (publisher, _) = try await pass("broken.\(container)", to: "copy.mkv", in: scratch)
        #expect(publisher.count == 1 && publisher[0].contains("broken.\(container): it is damaged"), "\(publisher)")
        #expect(try await Recording("copy.mkv", in: scratch).packets().count >= 20)
    }

    /// Another size in mid-stream is another description: what was before it is ended properly, and a new file is begun.
    @Test func picturesOfAnotherSize() async throws {
        let scratch = try Scratch()
        try await film("a.ts", in: scratch)
        try await film("b.ts", size: "320x180", in: scratch)
        try join("a.ts", "b.ts", into: "both.ts", in: scratch)
        let (publisher, recorder) = try await pass("both.ts", to: "copy.mkv", in: scratch)
        #expect(publisher.count == 1 && recorder.isEmpty, "\(publisher) \(recorder)")
        for (name, size) in [("copy.mkv", "160,90"), ("copy-2.mkv", "320,180")] {
            let recording = Recording(name, in: scratch)
            let found = try await tool(
                "ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "stream=width,height", "-of", "csv=p=0", recording.path,
                in: scratch)
            #expect(found.split(separator: "\n").first.map(String.init) == size)
            #expect(try await recording.packets().count == 50)
            #expect(try await recording.packets().first?.isKey == true)
            try await recording.play()
        }
    }

    /// A stream that nobody can describe yet when the file is opened is left out; the others are not made unreadable by it.
    @Test func aStreamThatBeginsLate() async throws {
        let scratch = try Scratch()
        try await film("a.ts", in: scratch)
        try await tool(
            "ffmpeg", "-v", "error", "-i", "a.ts", "-f", "lavfi", "-i", "sine=duration=2", "-c:v", "copy", "-c:a", "aac", "sound.ts", in: scratch)
        try join("a.ts", "sound.ts", into: "late.ts", in: scratch)
        let (publisher, _) = try await pass("late.ts", to: "copy.mkv", in: scratch)
        #expect(publisher.contains { $0.contains("late.ts: stream 1: audio of which too little is known is not carried") }, "\(publisher)")
        #expect(try await Recording("copy.mkv", in: scratch).packets().count == 100)
    }
}
