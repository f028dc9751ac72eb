import Glibc

/// The terminal's keys, one by one and unseen, as long as it lives. Ctrl-C stays what it is.
final class Keyboard {
    private var before = termios()

    /// Nil where standard input is no terminal, or another program's turn.
    init?() {
        // Whoever is in the background would be stopped for touching the terminal.
        guard isatty(STDIN_FILENO) == 1, tcgetpgrp(STDIN_FILENO) == getpgrp(), tcgetattr(STDIN_FILENO, &before) == 0 else { return nil }
        var now = before
        now.c_lflag &= ~tcflag_t(ICANON | ECHO)
        // Read without waiting.
        withUnsafeMutableBytes(of: &now.c_cc) {
            $0[Int(VMIN)] = 0
            $0[Int(VTIME)] = 0
        }
        guard tcsetattr(STDIN_FILENO, TCSANOW, &now) == 0 else { return nil }
    }

    deinit { tcsetattr(STDIN_FILENO, TCSANOW, &before) }

    /// Those pressed since the last call.
    func keys() -> [PlayerKey] {
        var octets = [UInt8](repeating: 0, count: 64)
        let count = read(STDIN_FILENO, &octets, octets.count)
        return count > 0 ? Self.keys(octets[..<count]) : []
    }

    /// Arrows come as ESC [ A and so on; ESC alone is the key itself.
    static func keys(_ octets: ArraySlice<UInt8>) -> [PlayerKey] {
        var keys: [PlayerKey] = []
        var rest = octets
        while let octet = rest.popFirst() {
            if octet != 0x1b {
                if let key = PlayerKey(octet) { keys.append(key) }
            } else if let bracket = rest.first, bracket == UInt8(ascii: "[") || bracket == UInt8(ascii: "O") {
                rest = rest.dropFirst()
                // Up and right, down and left; whatever else has come there is none of ours.
                switch rest.popFirst() {
                case UInt8(ascii: "A"), UInt8(ascii: "C"): keys.append(.louder)
                case UInt8(ascii: "B"), UInt8(ascii: "D"): keys.append(.quieter)
                default: rest = rest.drop { !(0x40...0x7e ~= $0) }.dropFirst()
                }
            } else {
                keys.append(.leave)
            }
        }
        return keys
    }
}
