import Glibc
import Testing
import TestSupport

/// What `ipn run` says of a program that it cannot run: one line, and a status as env(1) and nohup(1) have it.
@Suite struct RunTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func expectOneLine(
        _ words: [String], status: CInt, naming word: String, environment: [String] = [], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let result = try Child.run("/usr/bin/env", environment + [Tool.path, "run"] + words)
        #expect(result.status == status, "\(words): \(result.errors)", sourceLocation: sourceLocation)
        #expect(
            result.complaints.count == 1 && result.errors.hasPrefix("ipn: ") && result.errors.contains(word), "\(words): \(result.errors)",
            sourceLocation: sourceLocation)
        #expect(result.output.isEmpty, sourceLocation: sourceLocation)
    }

    private func file(_ name: String, _ text: String, mode: mode_t) {
        let descriptor = creat(scratch(name), mode)
        _ = write(descriptor, text, text.utf8.count)
        close(descriptor)
        chmod(scratch(name), mode)
    }

    @Test func noProgram() throws {
        try expectOneLine([], status: 2, naming: "name a program")
        try expectOneLine(["--"], status: 2, naming: "name a program")
        try expectOneLine(["ls"], status: 2, naming: "name a program")
        for words in [["--bogus", "true"], ["--bogus", "--", "true"], ["--bogus"]] {
            try expectOneLine(words, status: 2, naming: "Unknown option '--bogus'")
        }
        // The program's own.
        #expect(try Tool.run(["run", "--", "sh", "-c", "exit 3", "--bogus"]).status == 3)
    }

    @Test func aProgramThatIsNotThere() throws {
        try expectOneLine(["--", "no-program-has-this-name"], status: 127, naming: "no-program-has-this-name")
        try expectOneLine(["--", scratch("none")], status: 127, naming: "No such file")
        try expectOneLine(["--", scratch("no/where")], status: 127, naming: "No such file")
        // A script whose interpreter is not there.
        file("script", "#!/no/interpreter\n", mode: 0o755)
        try expectOneLine(["--", scratch("script")], status: 127, naming: scratch("script"))
    }

    @Test func whatCannotBeRun() throws {
        file("text", "echo\n", mode: 0o644)
        try expectOneLine(["--", scratch("text")], status: 126, naming: "Permission denied")
        try expectOneLine(["--", scratch.path], status: 126, naming: "Permission denied")
        try expectOneLine(["--", scratch("text") + "/x"], status: 126, naming: "Not a directory")
    }

    @Test func noLibraryToPreload() throws {
        let named = "IPN_PRELOAD=\(scratch("none.so"))"
        try expectOneLine(["--", "true"], status: 1, naming: "IPN_PRELOAD", environment: [named])
        // A tool that was copied somewhere by itself.
        let copy = try Child.run("/bin/cp", [Tool.path, scratch("ipn")])
        #expect(copy.status == 0)
        let result = try Child.run(scratch("ipn"), ["run", "--", "true"])
        #expect(result.status == 1 && result.complaints.count == 1 && result.errors.contains("libipn-preload.so"), "\(result.errors)")
    }

    /// In whatever code they are; the tool's own are text.
    @Test func theProgramsWordsAreItsOwn() throws {
        func shell(_ script: String) throws -> Child.Result { try Child.run("/bin/sh", ["-c", script, "sh", Tool.path]) }
        let word = #"$(printf 'n\351')"#
        #expect(try shell(#"exec "$1" run -- printf %s "\#(word)" | od -An -tx1"#).text == " 6e e9\n")
        for line in ["create '\(scratch.path)'/\(word)", "run \(word) -- true", "\(word)"] {
            let result = try shell(#"exec "$1" \#(line)"#)
            #expect(result.status == 2 && result.complaints.count == 1 && result.errors.contains("no text in UTF-8"), "\(result.errors)")
        }
        #expect(scratch.contents.isEmpty)
    }

    @Test func theStatusIsTheProgramsOwn() throws {
        #expect(try Tool.run(["run", "--", "sh", "-c", "echo said; exit 7"]).status == 7)
        #expect(try Tool.run(["run", "--", "sh", "-c", "kill -TERM $$"]).status == 128 + SIGTERM)
        #expect(try Tool.run(["run", "--", "sh", "-c", "cat"], input: "through").text == "through")
    }
}
