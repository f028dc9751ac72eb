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

    private static let printing = ["show NET", "show NET --json", "top --once NET", "devices", "bench", "--help", "show --help", "--version"]

    @Test(arguments: printing, [">/dev/full", ">&-"])
    func whatCannotBeWrittenIsAnError(command: String, output: String) throws {
        let path = scratch("net")
        try Tool.succeed(["create", path])
        let words = command.replacing("NET", with: path)
        let result = try Child.run("/bin/sh", ["-c", "exec \"$0\" \(words) \(output)", Child.built("ipn")])
        #expect(result.status == 1 && result.complaints.count == 1, "\(result.status): \(result.errors)")
        #expect(result.errors.hasPrefix("ipn: standard output: "), "\(result.errors)")
        try Tool.succeed(["remove", path])
    }

    @Test func inputThatIsClosedIsNoEmptyOne() throws {
        let path = scratch("net")
        try Tool.succeed(["create", path])
        let result = try Child.run("/bin/sh", ["-c", "exec \"$0\" send \"$1\" <&-", Child.built("ipn"), path])
        #expect(result.status == 1 && result.errors.hasPrefix("ipn: standard input: "), "\(result.errors)")
        try Tool.succeed(["remove", path])
    }
}
