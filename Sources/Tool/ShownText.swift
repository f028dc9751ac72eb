/// A stranger's words as they may be shown on a terminal: what would move its cursor, colour it, or turn the line round is a sign that
/// something was there.
func shown(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { isHarmless($0) ? $0 : "\u{fffd}" }))
}

private func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: false
    // Directions that are embedded, overridden or isolated reach beyond their text.
    case .format: !(0x202a...0x202e ~= scalar.value || 0x2066...0x2069 ~= scalar.value)
    default: true
    }
}
