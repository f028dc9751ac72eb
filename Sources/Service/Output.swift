import Glibc

package let standardError = STDERR_FILENO

/// Writes all of a text; what cannot be written is for nobody.
package func writeAll(_ descriptor: CInt, _ text: String) {
    let bytes = Array(text.utf8)
    var done = 0
    while done < bytes.count {
        let written = bytes[done...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { return }
        done += written
    }
}

/// Columns of a terminal; 80 of one that does not tell.
func terminalColumns(_ descriptor: CInt) -> Int {
    var size = winsize()
    return ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
}

/// Says one line on standard error, as every message of the tool begins.
package func say(_ message: String) { writeAll(standardError, "ipn: \(message)\n") }
