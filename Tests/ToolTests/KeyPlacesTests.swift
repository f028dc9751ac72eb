import TestSupport
import Testing

@testable import Tool

/// Where keys stand in a TOML document: `TOMLKeyPlaces` is a parser of ours, and the file may be anybody's.
@Suite struct KeyPlacesTests {
    private static let keys = ["input", "record", "a-b", "\"quoted key\"", "'lit'", "dotted.rest", "ü"]
    /// Values over which a scanner that takes less care would stumble.
    private static let values = [
        "1", "true", "1979-05-27T07:32:00Z", "\"text\"", "\"with \\\" and # and ]\"", "'C:\\'", "\"\"", "''", "[]", "[1, 2]", "{a = '}', b = [1]}",
        "\"\"\"\nrecord = 1\n\\\"\"\" still \"\" in it\"\"\"", "'''\n[record]\n'it''s'''", "\"\"\"two at the end\"\"\"\"\"",
        "[ 'a]', # mode = 1 ]\n  \"]\",\n]", "[[1],\n[2, [3,\n4]]]",
    ]

    /// Documents put together of such lines: each key is found where it was put.
    @Test func everyKeyIsWhereItWasPut() {
        for seed in 0..<200 as Range<UInt64> { expectPlaces(inDocument: seed) }
    }

    private func expectPlaces(inDocument seed: UInt64) {
        var random = SeededRandom(seed)
        var text = ""
        var line = 1
        var wanted: [(key: String, line: Int, column: Int)] = []
        func add(_ piece: String) {
            text += piece
            line += piece.unicodeScalars.count { $0 == "\n" }
        }
        let keys = Self.keys.shuffled(using: &random)
        let lastOfTop = Int.random(in: 0...keys.count, using: &random)
        for (position, key) in keys.enumerated() {
            let indent = String(repeating: " ", count: Int.random(in: 0..<4, using: &random))
            if Bool.random(using: &random) { add("# [\(key)] = \"'\n") }
            let name = key.filter { !"\"'".contains($0) }.split(separator: ".").first.map(String.init) ?? ""
            if position < lastOfTop {
                wanted.append((name, line, indent.count + 1))
                let end = ["\n", " # \"\n", "\r\n"].randomElement(using: &random) ?? "\n"
                add("\(indent)\(key) = \(Self.values.randomElement(using: &random) ?? "1")\(end)")
            } else {
                wanted.append((name, line, indent.count + 1))
                let brackets = Bool.random(using: &random) ? ("[", "]") : ("[[", "]]")
                add("\(indent)\(brackets.0)\(key)\(brackets.1)\ninput2 = \(Self.values.randomElement(using: &random) ?? "1")\n")
            }
        }
        let places = TOMLKeyPlaces(in: text)
        for (key, line, column) in wanted {
            #expect(places[key].map { [$0.line, $0.column] } == [line, column], "\(key) in\n\(text)")
        }
        // What belongs to a table is no key of the top.
        #expect(places["input2"] == nil)
    }

    /// Of what is no TOML anything may be found, and nothing breaks.
    @Test func noTextIsTooMuch() {
        let pieces = [
            "a", "b.c", "=", "1", "\"", "'", "\"\"\"", "'''", "[", "]", "[[", "{", "}", ",", "#", "\n", "\r", "\\", " ", "\t", "ü", "\u{1F600}",
        ]
        var random = SeededRandom(7)
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0..<24, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            let lines = text.unicodeScalars.count { $0 == "\n" } + 1
            let places = TOMLKeyPlaces(in: text)
            for key in ["a", "b", "", "1"] { #expect(places[key].map { (1...lines).contains($0.line) && $0.column > 0 } ?? true) }
        }
    }
}
