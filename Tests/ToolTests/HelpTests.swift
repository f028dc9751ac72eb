import Testing
import TestSupport

/// What `ipn` says of itself.
@Suite struct HelpTests {
    @Test(arguments: [[], ["create"], ["remove"], ["show"], ["top"], ["send"], ["receive"], ["run"], ["bench"], ["stream"], ["pipe"], ["serve"]])
    func helpHasExamples(command: [String]) throws {
        let result = try Tool.run(command + ["--help"])
        #expect(result.status == 0)
        #expect(result.text.contains("EXAMPLES"))
        #expect(result.text.contains("ipn \(command.first ?? "create") "))
        #expect(result.errors.isEmpty)
    }

    @Test func generalHelpNamesCommandsAndStatuses() throws {
        let text = try Tool.run(["--help"]).text
        for word in ["create", "remove", "show", "send", "receive", "bench", "EXIT STATUS"] { #expect(text.contains(word)) }
    }

    @Test func versionIsOneLine() throws {
        let result = try Tool.run(["--version"])
        #expect(result.status == 0 && result.output.filter { $0 == 10 }.count == 1)
    }
}
