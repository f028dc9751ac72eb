import Glibc
import Testing
import TestSupport

/// The tool where memory is scarce: it says so in a line, and no signal ends it.
@Suite struct ScarceTests {
    @Test func startsWithoutMemory() throws {
        let scratch = try Scratch()
        let path = scratch("net")
        try Tool.succeed(["create", path])
        var (refused, worked) = (0, 0)
        for mebibytes in stride(from: 16, through: 128, by: 8) {
            for words in ["show '\(path)'", "send '\(path)' --block 1M"] {
                let child = try Child("/bin/bash", ["-c", "ulimit -d \(mebibytes << 10) && exec \"$0\" \(words)", Child.built("ipn")])
                child.endInput()
                let result = try child.finish()
                switch result.status {
                case 0: worked += 1
                case 1:
                    refused += 1
                    #expect(result.errors.hasPrefix("ipn: ") && result.errors.contains("memory") && result.errors.hasSuffix("\n"), "\(result)")
                    #expect(result.errors.split(separator: "\n").count == 1 && result.output.isEmpty, "\(result)")
                // The loader could not map a library.
                case 127: break
                default: Issue.record("\(mebibytes) MiB: \(words): \(result)")
                }
            }
        }
        #expect(refused > 0 && worked > 0, "\(refused) refused, \(worked) worked")
        try Tool.succeed(["remove", path])
    }

    /// What is sent in blocks has to be there as a whole first.
    @Test func blocksBeyondAllMemory() throws {
        let scratch = try Scratch()
        let path = scratch("net")
        try Tool.succeed(["create", path, "--mtu", "1G"])
        let child = try Child("/bin/bash", ["-c", "ulimit -d \(256 << 10) && exec \"$0\" send '\(path)' --block 1G", Child.built("ipn")])
        child.endInput()
        let result = try child.finish()
        #expect(result.status == 1 && result.errors == "ipn: \(path): no memory for blocks of 1073741824 bytes: free some, or send smaller ones\n")
        try Tool.succeed(["remove", path])
    }
}
