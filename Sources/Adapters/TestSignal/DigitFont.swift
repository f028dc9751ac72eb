/// Ten digits and a colon, five by seven.
enum DigitFont {
    static let width = 5
    static let height = 7

    private static let digits: [[UInt8]] = [
        [0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110],
        [0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
        [0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111],
        [0b11111, 0b00010, 0b00100, 0b00010, 0b00001, 0b10001, 0b01110],
        [0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010],
        [0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110],
        [0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110],
        [0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000],
        [0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110],
        [0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100],
    ]
    private static let colon: [UInt8] = [0, 0b00100, 0b00100, 0, 0b00100, 0b00100, 0]

    /// Rows from above; the highest of five bits is on the left.
    /// - Parameter character: ASCII; a colon for what is no digit.
    static func rows(_ character: UInt8) -> [UInt8] {
        0x30...0x39 ~= character ? digits[Int(character - 0x30)] : colon
    }
}
