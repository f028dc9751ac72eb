/// Where the keys and tables of a TOML document's top level stand: its parser tells of a place only where it fails.
///
/// Knows of TOML what it takes to tell where a value ends: strings of all four kinds, brackets, comments. In a document that is none
/// it finds something or nothing.
struct TOMLKeyPlaces {
    private var places: [String: (line: Int, column: Int)] = [:]

    subscript(key: String) -> (line: Int, column: Int)? { places[key] }

    init(in text: String) {
        var scanner = Scanner(Array(text.unicodeScalars))
        var isTopLevel = true
        while !scanner.isAtEnd {
            scanner.skipBlanks()
            let place = (scanner.line, scanner.column)
            switch scanner.next {
            case "[":
                isTopLevel = false
                note(scanner.takeHeader(), place)
            case "#", "\n", nil: break
            default:
                let key = scanner.takeKey()
                if isTopLevel { note(key, place) }
                scanner.skipValue()
            }
            scanner.skipLine()
        }
    }

    private mutating func note(_ key: String, _ place: (Int, Int)) {
        if places[key] == nil { places[key] = place }
    }

    private struct Scanner {
        private let scalars: [Unicode.Scalar]
        private var position = 0
        private(set) var line = 1
        private(set) var column = 1

        init(_ scalars: [Unicode.Scalar]) { self.scalars = scalars }

        var isAtEnd: Bool { position >= scalars.count }
        var next: Unicode.Scalar? { isAtEnd ? nil : scalars[position] }

        private mutating func advance() {
            if scalars[position] == "\n" { (line, column) = (line + 1, 1) } else { column += 1 }
            position += 1
        }

        mutating func skipBlanks() {
            while let next, next == " " || next == "\t" || next == "\r" { advance() }
        }

        mutating func skipLine() {
            while let next, next != "\n" { advance() }
            if !isAtEnd { advance() }
        }

        /// `[name]`, `[[name]]`: the first part of the name.
        mutating func takeHeader() -> String {
            while next == "[" { advance() }
            skipBlanks()
            return takeKey()
        }

        /// The first part of a key, without its quotes.
        mutating func takeKey() -> String {
            var key = String.UnicodeScalarView()
            if let quote = next, quote == "\"" || quote == "'" {
                advance()
                while let next, next != quote, next != "\n" {
                    key.append(next)
                    advance()
                }
                // What opened it must not be taken for the beginning of another string.
                if next == quote { advance() }
            } else {
                while let next, !"=.] \t\r\n".unicodeScalars.contains(next) {
                    key.append(next)
                    advance()
                }
            }
            return String(key)
        }

        /// To the end of the line on which all that was opened is closed again.
        mutating func skipValue() {
            var depth = 0
            while let next {
                switch next {
                case "\n" where depth <= 0: return
                case "\"", "'": skipString(next)
                case "#": while let next = self.next, next != "\n" { _ = next; advance() }
                case "[", "{": depth += 1; advance()
                case "]", "}": depth -= 1; advance()
                default: advance()
                }
            }
        }

        private mutating func skipString(_ quote: Unicode.Scalar) {
            let isLong = scalars[position...].prefix(3).elementsEqual([quote, quote, quote])
            for _ in 0..<(isLong ? 3 : 1) { advance() }
            while let next {
                if isLong, scalars[position...].prefix(3).elementsEqual([quote, quote, quote]) {
                    // Up to two quotes may stand before the three that end it.
                    while self.next == quote { advance() }
                    return
                }
                if !isLong, next == quote || next == "\n" {
                    if next == quote { advance() }
                    return
                }
                advance()
                if next == "\\", quote == "\"", !isAtEnd { advance() }
            }
        }
    }
}
