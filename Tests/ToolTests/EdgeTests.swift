import Testing
import TestSupport

/// Where something does not fit: a name an address, an output its disk.
@Suite struct EdgeTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test(arguments: [80, 86, 90, 107, 108, 250]) func aNameThatFitsNoAddress(length: Int) throws {
        let path = scratch(String(repeating: "n", count: length))
        try Tool.succeed(["create", path])
        #expect(try Child.run(Child.built("ipn"), ["create", path]).status == 1, "it is there")
        try Tool.succeed(["show", path])
        try Tool.succeed(["remove", path])
        #expect(scratch.contents.isEmpty)
    }

    @Test(arguments: [[], ["--json"]]) func whatCannotBeWrittenIsAnError(options: [String]) throws {
        let path = scratch("net")
        try Tool.succeed(["create", path])
        let words = (["show", path] + options).joined(separator: " ")
        let result = try Child.run("/bin/sh", ["-c", "exec \"$0\" \(words) >/dev/full", Child.built("ipn")])
        #expect(result.status == 1 && result.complaints.count == 1, "\(result.status): \(result.errors)")
        try Tool.succeed(["remove", path])
    }
}
