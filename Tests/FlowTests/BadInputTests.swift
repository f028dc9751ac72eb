import Foundation
import Glibc
import Testing

/// One line on standard error that names the object and says what to do.
func expectComplaint(
    _ program: Program, status: Int32, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    #expect(try await program.ended().status == status, "\(program.complaint)", sourceLocation: sourceLocation)
    let complaint = program.complaint
    #expect(complaint.hasPrefix("ipn: ") && complaint.hasSuffix("\n"), "\(complaint)", sourceLocation: sourceLocation)
    #expect(complaint.split(separator: "\n").count == 1, "\(complaint)", sourceLocation: sourceLocation)
    for word in words { #expect(complaint.contains(word), "\(word) in: \(complaint)", sourceLocation: sourceLocation) }
    #expect(program.output == "", sourceLocation: sourceLocation)
}

/// What cannot be published is refused before anything is made.
@Suite(.onStage) struct BadInputTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let arguments: [String]
        let status: Int32
        let words: [String]
        var testDescription: String { arguments.joined(separator: " ") }

        init(_ arguments: String..., status: Int32, says words: String...) {
            self.arguments = arguments
            self.status = status
            self.words = words
        }
    }

    static let cases = [
        Case("publish", "nowhere.mp4", "net", status: 1, says: "nowhere.mp4: ", "no such file", "check the path"),
        Case("publish", "text.mp4", "net", status: 1, says: "text.mp4: ", "not understood", "ffprobe"),
        Case("publish", "folder", "net", status: 1, says: "folder: ", "directory"),
        Case("publish", "http://127.0.0.1:1/x", "net", status: 1, says: "http://127.0.0.1:1/x", "refused", "server is running"),
        Case("publish", "rtmp://user:secret@127.0.0.1:1/x", "net", status: 1, says: "user:…@127.0.0.1", "refused"),
        Case("publish", Fixture.bunny, "nowhere/net", status: 1, says: "nowhere/net: ", "folder"),
        Case("publish", Fixture.bunny, "folder", status: 3, says: "folder: ", "not a network", "another path"),
        Case("publish", Fixture.bunny, "text.mp4", status: 3, says: "text.mp4: ", "not a network", "another path"),
        Case("publish", Fixture.bunny, "net", "--mtu", "0", status: 2, says: "net: ", "MTU 0", "1 to "),
        Case("publish", Fixture.bunny, "net", "--quick", status: 2, says: "--quick", "--help"),
        Case("publish", Fixture.bunny, status: 2, says: "path", "--help"),
        Case("publish", Fixture.bunny, "net", "--duration", "soon", status: 2, says: "soon", "duration"),
        Case("record", "nowhere", "x.mkv", status: 3, says: "nowhere: ", "no network here", "ipn create"),
        Case("record", "text.mp4", "x.mkv", status: 3, says: "text.mp4: ", "not a network"),
        Case("stream", "nowhere", "hls/x.m3u8", status: 3, says: "nowhere: ", "no network here"),
        Case("play", "nowhere", status: 3, says: "nowhere: ", "no network here"),
        Case("record", "net", status: 2, says: "file", "--help"),
        Case("create", "nowhere/net", status: 1, says: "nowhere/net: ", "folder"),
        Case("tee", Fixture.bunny, status: 2, says: "--record FILE", "--play"),
        Case("frobnicate", status: 2, says: "frobnicate", "--help"),
    ]

    @Test(arguments: cases) func isRefusedInOneLine(bad: Case) async throws {
        let scratch = try Scratch()
        try Data("This is no film.\n".utf8).write(to: URL(fileURLWithPath: scratch.file("text.mp4")))
        try FileManager.default.createDirectory(atPath: scratch.file("folder"), withIntermediateDirectories: false)
        let program = try Program([Scratch.executable] + bad.arguments, in: scratch)
        try await expectComplaint(program, status: bad.status)
        for word in bad.words { #expect(program.complaint.contains(word), "\(word) in: \(program.complaint)") }
        #expect(!program.complaint.contains("secret"))
        #expect(try scratch.names() == ["folder", "text.mp4"])
        try await scratch.expectNothingLeft()
    }

    @Test func anMTUTooSmallForAPictureNamesOneThatWillDo() async throws {
        let scratch = try Scratch()
        try await scratch.ipn("create", "net", "--mtu", "4096").succeeded()
        let refused = try scratch.ipn("publish", Fixture.bunny, "net", "--fast")
        try await expectComplaint(refused, status: 1, "net: ", "MTU of 4096", "at least ")
        try await scratch.ipn("remove", "net").succeeded()
        let named = refused.complaint.split { !$0.isNumber }.last.map(String.init) ?? "0"

        try await scratch.ipn("create", "net", "--mtu", named, "--lossless").succeeded()
        let recorder = try scratch.ipn("record", "net", "copy.mp4")
        try await scratch.ipn("publish", Fixture.bunny, "net", "--fast", "--wait-readers", "1").succeeded()
        try await recorder.succeeded()
        let input = Recording(Fixture.bunny, in: scratch)
        #expect(try await Recording("copy.mp4", in: scratch).checksums("v") == input.checksums("v"))
        try await scratch.ipn("remove", "net").succeeded()
        try await scratch.expectNothingLeft()
    }

    /// The one who is there goes on.
    @Test func aSecondPublisherIsRefused() async throws {
        let scratch = try Scratch()
        let publisher = try scratch.ipn("publish", "test:", "net")
        try await until("the network is there") { try await scratch.show("net")?.writers == 1 }
        let recorder = try scratch.ipn("record", "net", "copy.mkv")
        try await scratch.awaitProgress(of: "copy.mkv")
        for input in [Fixture.bunny, "test:"] {
            try await expectComplaint(
                try scratch.ipn("publish", input, "net"), status: 1, "net: ", "somebody publishes there already", "another path")
        }
        try await scratch.awaitProgress(of: "copy.mkv")
        publisher.send(SIGINT)
        try await publisher.succeeded()
        try await recorder.succeeded()
        #expect(try await Recording("copy.mkv", in: scratch).flaws() == [])
        try await scratch.expectNothingLeft()
    }
}
