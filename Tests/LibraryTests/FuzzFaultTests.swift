import Foundation
import Testing

/// `Tools/fuzz --faults` takes too long to run each time; that it still could is seen at once.
struct FuzzFaultTests {
    private static let faults: [[String]] = {
        let text = (try? String(contentsOfFile: Installation.root + "/Tools/Fuzz/faults", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }
            .map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
    }()

    @Test func thereAreSome() { #expect(Self.faults.count >= 10 && Self.faults.allSatisfy { $0.count == 4 }) }

    /// Its line is there once: else it would be planted nowhere, or where nobody looks for it.
    @Test(arguments: faults) func eachFitsItsLine(fault: [String]) throws {
        let source = try String(contentsOfFile: "\(Installation.root)/\(fault[1])", encoding: .utf8)
        #expect(source.components(separatedBy: fault[2]).count == 2, "\(fault[0]): \(fault[1])")
    }
}
