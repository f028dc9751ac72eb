import Foundation
import Glibc
import Testing

/// `ipn tee -f party.toml`.
@Suite(.onStage) struct PartyFileTests {
    private func write(_ text: String, in scratch: Scratch) throws {
        try text.write(toFile: scratch.file("party.toml"), atomically: true, encoding: .utf8)
    }

    private static let example = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Examples/Parties/party.toml").path

    @Test func theExampleWorks() async throws {
        let scratch = try Scratch()
        let tee = try scratch.ipn("tee", "--file", Self.example)
        try await tee.succeeded()
        for name in ["party.mkv", "party.mp4"] { #expect(try await Recording(name, in: scratch).packets().count > 10) }
        #expect(scratch.has("party/live.m3u8"))
    }

    @Test func theCommandLineWinsAndAdds() async throws {
        let scratch = try Scratch()
        try write("input = 'nowhere.mp4'\nduration = '1h'\nrecord = 'a.mkv'\nsound = false\nnetwork = 'net'\n", in: scratch)
        let tee = try scratch.ipn("tee", "-f", "party.toml", "test:", "--duration", "1", "--record", "b.mkv", "--sound")
        try await tee.succeeded()
        for name in ["a.mkv", "b.mkv"] { #expect(scratch.has(name)) }
    }

    /// As a shell has them: `ipn tee -f <(…)`.
    @Test func aPipeIsAFileToo() async throws {
        let scratch = try Scratch()
        let script = "printf \"input = 'test:'\\nduration = 1\\nrecord = 'a.mkv'\\n\" | '\(Scratch.executable)' tee -f /dev/stdin"
        try await Program(["sh", "-c", script], in: scratch).succeeded()
        #expect(try await Recording("a.mkv", in: scratch).flaws() == [])
        for (file, says) in [(".", "irectory"), ("/dev/zero", "no TOML file"), ("nowhere.toml", "no such file")] {
            let tee = try scratch.ipn("tee", "-f", file)
            #expect(try await tee.ended().status != 0)
            #expect(tee.complaint.lowercased().contains("\(file): ") && tee.complaint.lowercased().contains(says.lowercased()), "\(tee.complaint)")
        }
    }

    /// What everybody can read of a process does not have it, and it goes where it should.
    @Test func aPasswordIsNoArgument() async throws {
        let scratch = try Scratch()
        let port = try Net.freePort()
        let ear = try Program(["ffmpeg", "-v", "error", "-i", "tcp://127.0.0.1:\(port)?listen=1", "-c", "copy", "heard.mkv"], in: scratch)
        try write("input = 'test:'\nstream = 'tcp://me:topsecret@127.0.0.1:\(port)'\nnetwork = 'net'\n", in: scratch)
        let tee = try scratch.ipn("tee", "-f", "party.toml")
        try await scratch.awaitProgress(of: "tcp://me:…@127.0.0.1:\(port)")
        let lines = tee.groupMembers.map { String(decoding: FileManager.default.contents(atPath: "/proc/\($0)/cmdline") ?? Data(), as: UTF8.self) }
        #expect(lines.contains { $0.contains("stream") && $0.contains("me:…@127.0.0.1:\(port)") }, "\(lines)")
        #expect(!lines.contains { $0.contains("topsecret") }, "\(lines)")
        tee.send(SIGINT)
        try await tee.succeeded()
        try await ear.succeeded()
        #expect(try await Recording("heard.mkv", in: scratch).packets().count > 10)
        try await scratch.expectNothingLeft()
    }

    /// What is wrong is said in one line, with its place.
    @Test(arguments: [
        ("input = 'test:'\nrecord = 'x.mkv'\nrecrd = 1\n", "3:1: recrd: there is no such key"),
        ("input = 'test:'\nrec = 'x.mkv'\n", "2:1: rec: there is no such key; record is one"),
        ("# a party\ninput = 'test:'\n  record = [1, 2]\n", "3:3: record: a string, or strings in brackets"),
        ("input = \"\"\"\nrecord = 1\n\"\"\"\nplay = 'yes'\n", "4:1: play: true or false"),
        ("input = 'test:'\nrecord = [ 'a.mkv',\n  '#]', # mode = 1\n]\nmode = '9x'\n", "5:1: The value '9x'"),
        ("input = 'test:'\nrecord = 'x.mkv'\nduration = true\n", "3:1: duration: a number of seconds"),
        ("input = 'test:'\nplay = true\nbeside = true\n", "3:1: --beside takes"),
        ("input = 'test:'\nplay = true\n[camera]\nsize = '1x1'\n", "3:1: camera: there is no such key"),
        ("record = 'x.mkv'\n", "1:1: input is missing"),
        ("input = 'test:'\n", "1:1: a consumer is missing"),
        ("input = 'test:'\nplay = true\nplay = true\n", "3:"),
        ("input = \n", "1:"),
    ]) func whatIsWrongHasAPlace(text: String, message: String) async throws {
        let scratch = try Scratch()
        try write(text, in: scratch)
        let tee = try scratch.ipn("tee", "-f", "party.toml")
        #expect(try await tee.ended().status == 2)
        #expect(tee.complaint.hasPrefix("ipn: party.toml:\(message)"), "\(tee.complaint)")
        #expect(tee.complaint.filter { $0 == "\n" }.count == 1, "\(tee.complaint)")
        #expect(try scratch.names() == ["party.toml"])
    }

    /// A key for every option, and none else.
    @Test func everyOptionIsAKey() async throws {
        let scratch = try Scratch()
        let help = try scratch.ipn("tee", "--help")
        try await help.succeeded()
        let options = Set(help.output.matches(of: /\n\s+(?:-\w, )?--([a-z-]+)/).map { String($0.1) }).subtracting(["file", "help", "version"])
        #expect(options.isSuperset(of: ["record", "duration", "encode", "control", "seek"]))
        for option in options.map({ $0 == "sound/" ? "sound" : $0 }) {
            // A table is never right.
            try write("[\(option)]\n", in: scratch)
            let tee = try scratch.ipn("tee", "-f", "party.toml")
            #expect(try await tee.ended().status == 2)
            #expect(tee.complaint.contains("party.toml:1:1: \(option): ") && tee.complaint.contains("belongs here"), "\(tee.complaint)")
        }
    }

    @Test func whatIsNoFileIsTold() async throws {
        let scratch = try Scratch()
        for (name, word) in [("none.toml", "No such file"), (".", "Is a directory")] {
            let tee = try scratch.ipn("tee", "-f", name)
            #expect(try await tee.ended().status == 1)
            #expect(tee.complaint.hasPrefix("ipn: \(name): cannot be read: \(word)"), "\(tee.complaint)")
        }
        try Data([0xff, 0]).write(to: URL(fileURLWithPath: scratch.file("party.toml")))
        let tee = try scratch.ipn("tee", "-f", "party.toml")
        #expect(try await tee.ended().status == 2)
    }
}
