/// Texts of fixed size: UTF-8, NUL at the end, no control characters (they would reach somebody's terminal).
extension StreamDescription {
    /// Writes a name that must not be shortened.
    static func put<Field>(_ text: String, into field: inout Field, _ name: String) throws(MediaError) {
        let written = write(text, into: &field)
        guard written == text.utf8.count else { throw .malformed("\(name) “\(text)”") }
    }

    /// Writes words for people, shortened to whole characters if need be.
    static func putShortened<Field>(_ text: String, into field: inout Field) { write(text, into: &field) }

    @discardableResult
    private static func write<Field>(_ text: String, into field: inout Field) -> Int {
        withUnsafeMutableBytes(of: &field) { room in
            var used = 0
            for character in text where !character.unicodeScalars.contains(where: isControl) {
                let octets = character.utf8
                // One octet stays for the NUL.
                guard used + octets.count < room.count else { break }
                for octet in octets {
                    room[used] = octet
                    used += 1
                }
            }
            return used
        }
    }

    /// - Throws: `.malformedMessage` if there is no NUL, or what is before it is not clean UTF-8.
    static func text<Field>(_ field: Field, _ name: String) throws(MediaError) -> String {
        let text: String? = withUnsafeBytes(of: field) { octets in
            guard let end = octets.firstIndex(of: 0) else { return nil }
            return String(validating: octets[..<end], as: UTF8.self)
        }
        guard let text, !text.unicodeScalars.contains(where: isControl) else { throw .malformed("the text of \(name)") }
        return text
    }

    static func isZero<Field>(_ field: Field) -> Bool {
        withUnsafeBytes(of: field) { $0.allSatisfy { $0 == 0 } }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .control
    }
}
