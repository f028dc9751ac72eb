import Foundation
import Glibc
import Testing

/// Several inputs one after the other: what comes of them, and what is said of those that are broken.
@Suite(.onStage) struct PlaylistTests {
    /// A second of a film of its own.
    private func film(_ name: String, _ options: String..., size: String = "160x90", in scratch: Scratch) async throws {
        try await tool(
            ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=\(size):rate=25:duration=1"]
                + (options.isEmpty ? ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25"] : options) + [name], in: scratch)
    }

    /// - Returns: what the publisher has said.
    private func publish(_ arguments: [String], recording name: String, in scratch: Scratch) async throws -> String {
        let publisher = try scratch.ipn(["publish"] + arguments + ["net", "--wait-readers", "1", "--lossless"])
        try await until("the network is there \(publisher.complaint)") { try await scratch.show("net") != nil || !publisher.isRunning }
        let recorder = try scratch.ipn("record", "net", name)
        try await publisher.succeeded()
        try await recorder.succeeded()
        return publisher.complaint
    }

    /// The same streams go on in one file, all of them, their times rising.
    @Test func partsThatAreAlikeAreOne() async throws {
        let scratch = try Scratch()
        try await film("one.mp4", in: scratch)
        try await film("two.mp4", in: scratch)
        #expect(try await publish(["one.mp4", "two.mp4", "one.mp4", "--fast"], recording: "all.mkv", in: scratch) == "")
        #expect(try scratch.names().filter { $0.hasPrefix("all") } == ["all.mkv"])
        let one = try await Recording("one.mp4", in: scratch).contents("v")
        let two = try await Recording("two.mp4", in: scratch).contents("v")
        #expect(try await Recording("all.mkv", in: scratch).contents("v") == one + two + one)
        #expect(try await Recording("all.mkv", in: scratch).flaws() == [])
        try await scratch.expectNothingLeft()
    }

    /// Another format is a new publication, and for a recorder a new file. A broken file and one that is not there are left out.
    @Test func aPlaylistOfAllSorts() async throws {
        let scratch = try Scratch()
        try await film("one.mp4", in: scratch)
        try await film("two.mkv", "-c:v", "mpeg4", size: "320x180", in: scratch)
        try Data("This is no film.\n".utf8).write(to: URL(fileURLWithPath: scratch.file("broken.mp4")))
        try FileManager.default.createDirectory(atPath: scratch.file("list"), withIntermediateDirectories: false)
        let lines = ["#EXTM3U", "#EXTINF:1,One", "../one.mp4", "", "../broken.mp4", "../nowhere.mp4", scratch.file("two.mkv"), "../one.mp4"]
        try Data(lines.joined(separator: "\r\n").utf8).write(to: URL(fileURLWithPath: scratch.file("list/all.m3u8")))
        let said = try await publish(["list/all.m3u8", "--fast"], recording: "all.mkv", in: scratch)
        let complaints = said.split(separator: "\n")
        #expect(complaints.count == 2, "\(said)")
        #expect(complaints.first?.contains("list/../broken.mp4: ") == true && complaints.last?.contains("list/../nowhere.mp4: ") == true, "\(said)")
        for (name, codec) in [("all.mkv", "h264"), ("all-2.mkv", "mpeg4"), ("all-3.mkv", "h264")] {
            #expect(try await Recording(name, in: scratch).codecs() == [codec])
            #expect(try await Recording(name, in: scratch).packets().count == 25)
            try await Recording(name, in: scratch).play()
        }
        try await scratch.expectNothingLeft()
    }

    /// What is coded anew into one format is one stream, whatever it was.
    @Test func codedPartsAreOne() async throws {
        let scratch = try Scratch()
        try await film("one.mp4", in: scratch)
        try await film("two.mkv", "-c:v", "mpeg4", size: "320x180", in: scratch)
        let said = try await publish(
            ["one.mp4", "two.mkv", "--fast", "--encode", "libx264:300k", "--encode-size", "160x90"], recording: "all.mp4", in: scratch)
        #expect(said == "")
        #expect(try scratch.names().filter { $0.hasPrefix("all") } == ["all.mp4"])
        #expect(try await Recording("all.mp4", in: scratch).packets().count == 50)
        #expect(try await Recording("all.mp4", in: scratch).flaws() == [])
        try await Recording("all.mp4", in: scratch).play()
        try await scratch.expectNothingLeft()
    }

    /// Each picture once, for as long as asked; one of another size is another stream.
    @Test func picturesAreSlides() async throws {
        let scratch = try Scratch()
        try FileManager.default.createDirectory(atPath: scratch.file("slides"), withIntermediateDirectories: false)
        // A name that libavformat would take for a pattern.
        for (name, size) in [("1 %03d.jpg", "64x64"), ("2.jpg", "64x64"), ("3.png", "96x64")] {
            try await tool(
                "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=\(size)", "-frames:v", "1", "-f", "image2pipe", "-c:v",
                name.hasSuffix("png") ? "png" : "mjpeg", scratch.file("slide.bin"), "-y", in: scratch)
            try FileManager.default.moveItem(atPath: scratch.file("slide.bin"), toPath: scratch.file("slides/\(name)"))
        }
        try Data("Nothing to see.\n".utf8).write(to: URL(fileURLWithPath: scratch.file("slides/readme.txt")))
        #expect(try await publish(["slides", "--slide", "400ms"], recording: "all.nut", in: scratch) == "")
        #expect(try await Recording("all.nut", in: scratch).packets().map(\.pts) == [0, 0.4])
        #expect(try await Recording("all-2.nut", in: scratch).packets().count == 1)
        #expect(try await Recording("all-2.nut", in: scratch).codecs() == ["png"])
        try await scratch.expectNothingLeft()
    }

    /// The list begins again at its end.
    @Test func aListIsLooped() async throws {
        let scratch = try Scratch()
        try await film("one.mp4", in: scratch)
        try await film("two.mp4", in: scratch)
        let publisher = try scratch.ipn("publish", "one.mp4", "two.mp4", "net", "--loop", "--fast", "--lossless", "--wait-readers", "1")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let recorder = try scratch.ipn("record", "net", "all.mkv")
        try await scratch.awaitProgress(of: "all.mkv", by: 250)
        publisher.send(SIGINT)
        try await publisher.succeeded()
        try await recorder.succeeded()
        #expect(try await Recording("all.mkv", in: scratch).packets().count > 250)
        #expect(try await Recording("all.mkv", in: scratch).flaws() == [])
        try await scratch.expectNothingLeft()
    }

    @Test func beginsWhereAskedAndRunsFaster() async throws {
        let scratch = try Scratch()
        try await film("film.mp4", "-c:v", "libx264", "-preset", "ultrafast", "-g", "5", in: scratch)
        let began = Date()
        #expect(try await publish(["film.mp4", "--seek", "0:00.5", "--speed", "0.2"], recording: "end.mkv", in: scratch) == "")
        // From the key frame before half a second on, at a fifth of the speed; a bound from below, as clocks do not run fast.
        #expect(Date().timeIntervalSince(began) > 2.8)
        let all = try await Recording("film.mp4", in: scratch).contents("v")
        #expect(try await Recording("end.mkv", in: scratch).contents("v") == Array(all.suffix(15)))
        #expect(try await Recording("end.mkv", in: scratch).flaws(beginsAnywhere: true) == [])
        try await scratch.expectNothingLeft()
    }

    /// What comes through a pipe; a stop is heard while nothing comes.
    @Test func standardInputIsAnInput() async throws {
        let scratch = try Scratch()
        try await film("film.mkv", in: scratch)
        let piped = try Program(
            ["sh", "-c", "cat film.mkv | '\(Scratch.executable)' publish - net --wait-readers 1 --lossless --fast"], in: scratch)
        try await until("the network is there") { try await scratch.show("net") != nil }
        let recorder = try scratch.ipn("record", "net", "copy.mkv")
        try await piped.succeeded()
        try await recorder.succeeded()
        #expect(try await Recording("copy.mkv", in: scratch).contents("v") == Recording("film.mkv", in: scratch).contents("v"))

        let idle = try Program(["sh", "-c", "sleep 1000 | '\(Scratch.executable)' publish - net; echo ended"], in: scratch)
        try await until("ipn waits for its input") { idle.groupMembers.contains { Self.command($0).hasSuffix("/ipn") } }
        for id in idle.groupMembers where Self.command(id).hasSuffix("/ipn") { kill(id, SIGINT) }
        try await until("it has ended \(idle.complaint)") { !idle.groupMembers.contains { Self.command($0).hasSuffix("/ipn") } }
        idle.send(SIGKILL, toGroup: true)
        try await scratch.expectNothingLeft()
    }

    private static func command(_ id: pid_t) -> String {
        let words = String(decoding: FileManager.default.contents(atPath: "/proc/\(id)/cmdline") ?? Data(), as: UTF8.self)
        return words.split(separator: "\0").first.map(String.init) ?? ""
    }

    static let refusals: [(arguments: [String], status: Int32, says: [String])] = [
        (["nowhere.mp4", "broken.mp4", "net"], Int32(1), ["nowhere.mp4: ", "broken.mp4: "]),
        (["empty.m3u", "net"], 1, ["empty.m3u: a playlist with nothing in it"]),
        (["test:", "broken.mp4", "net"], 2, ["test:: only files and addresses follow each other"]),
        (["test:", "net", "--seek", "1:30"], 1, ["test:: --seek is for files"]),
        (["film.mp4", "net", "--slide", "5s"], 1, ["--slide: there are no pictures"]),
        (["film.mp4", "net", "--seek", "1:30"], 1, ["film.mp4: it ends after 1.0 s"]),
        (["film.mp4", "net", "--seek", "1:99"], 2, ["--seek"]),
        (["film.mp4", "net", "--speed", "0"], 2, ["--speed 0.0 is not possible"]),
        (["film.mp4", "net", "--wait"], 2, ["film.mp4: --wait is for devices and addresses"]),
        (["film.mp4"], 2, ["name the network's path"]),
        (["fake.jpg", "net"], 1, ["fake.jpg: "]),
    ]

    @Test(arguments: refusals) func isRefusedInALine(arguments: [String], status: Int32, says: [String]) async throws {
        let scratch = try Scratch()
        try await film("film.mp4", in: scratch)
        for name in ["broken.mp4", "fake.jpg"] { try Data("This is no film.\n".utf8).write(to: URL(fileURLWithPath: scratch.file(name))) }
        try Data("#EXTM3U\n".utf8).write(to: URL(fileURLWithPath: scratch.file("empty.m3u")))
        let before = try scratch.names()
        let program = try scratch.ipn(["publish"] + arguments)
        #expect(try await program.ended().status == status)
        let lines = program.complaint.split(separator: "\n")
        #expect(lines.count == says.count && zip(lines, says).allSatisfy { $0.contains($1) }, "\(program.complaint)")
        #expect(try scratch.names() == before)
        try await scratch.expectNothingLeft()
    }
}
