import Foundation
import Testing
import TestSupport

/// bench: what it prints, never how fast it was.
@Suite struct BenchTests {
    /// The cells behind a row's name, which ends where two blanks follow.
    private func cells(_ name: String, in text: String, after title: String) -> [String] {
        let part = text.components(separatedBy: title).last ?? ""
        let line = part.split(separator: "\n").first { $0.hasPrefix("  \(name)  ") } ?? ""
        return line.dropFirst(name.count + 2).components(separatedBy: "  ").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }

    /// `12.3 k` as a number.
    private func number(_ cell: String) -> Double? {
        let parts = cell.split(separator: " ")
        let factor = parts.count == 1 ? 1 : ["k": 1e3, "M": 1e6, "G": 1e9][String(parts[1])]
        return factor.flatMap { factor in Double(parts[0]).map { $0 * factor } }
    }

    @Test func itMeasuresLatencyAndThroughput() throws {
        let text = try Tool.succeed(
            ["bench", "--seconds", "0.05", "--readers", "1", "--readers", "3", "--size", "64", "--size", "100001", "--size", "1M"]
        ).text
        for name in ["to a sleeping reader", "to a spinning reader"] {
            let percentiles = cells(name, in: text, after: "One way").compactMap(number)
            #expect(percentiles.count == 3 && percentiles == percentiles.sorted() && percentiles[0] > 0, "\(text)")
        }
        for (name, size) in [("64 B", 64.0), ("100001 B", 100_001), ("1 MiB", 1_048_576)] {
            let messages = cells(name, in: text, after: "Messages a second").prefix(2).compactMap(number)
            let bytes = cells(name, in: text, after: "Bytes a second").compactMap(number)
            try #require(messages.count == 2 && bytes.count == 2, "\(text)")
            // Both are rounded to three digits.
            for (rate, octets) in zip(messages, bytes) { #expect(abs(rate * size / octets - 1) < 0.02, "\(text)") }
        }
        #expect(text.split(separator: "\n").last?.contains("Linux") == true)
    }

    @Test func nothingStays() throws {
        let scratch = try Scratch()
        let result = try Child.run(
            "/usr/bin/env", ["TMPDIR=\(scratch.path)", Tool.path, "bench", "--seconds", "0.01", "--size", "64", "--readers", "2"])
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        try eventually("its networks are gone") { scratch.contents.isEmpty }
    }

    @Test(arguments: [["--readers", "0"], ["--size", "8"], ["--size", "2G"], ["--seconds", "0"], ["--seconds", "x"]])
    func whatCannotBeMeasuredIsRefused(arguments: [String]) throws {
        let result = try Tool.run(["bench"] + arguments)
        #expect(result.status == 2 && result.errors.contains(arguments[0]) && result.errors.split(separator: "\n").count == 1)
        #expect(result.output.isEmpty)
    }
}
