import CLibAV
import Glibc
import LibAVBase
import Media

/// A terminal: two pixels in each cell, the upper one's colour in front and the lower one's behind.
final class TerminalScreen: Screen {
    private let descriptor: Int32
    private var scaler: Scaler
    private var size: (columns: Int, rows: Int) = (0, 0)
    private var isOpen = false
    private let keyboard = Keyboard()
    private var line = ""
    /// A terminal takes some hundred kilobytes for a picture: 12 in a second are enough.
    let shortestInterval: Int64 = 1_000_000_000 / 12

    /// - Parameter descriptor: of a terminal; stays the caller's.
    init(descriptor: Int32) throws(MediaError) {
        self.descriptor = descriptor
        scaler = try Scaler(to: AV_PIX_FMT_RGB24)
    }

    deinit { restore() }

    func show(_ picture: UnsafeMutablePointer<AVFrame>, aspect: Double) throws(MediaError) {
        var output = ""
        if !isOpen {
            isOpen = true
            // The other screen, without cursor: what was on this one comes back.
            output += "\u{1b}[?1049h\u{1b}[?25l"
        }
        let now = currentSize()
        if now != size {
            size = now
            output += "\u{1b}[0m\u{1b}[2J"
        }
        // A cell is about twice as high as wide, and holds two pixels: they are square.
        var columns = size.columns
        var lines = Int((Double(columns) / aspect).rounded())
        if lines > size.rows * 2 {
            lines = size.rows * 2
            columns = min(size.columns, Int((Double(lines) * aspect).rounded()))
        }
        lines = max(2, lines / 2 * 2)
        columns = max(1, columns)
        guard let small = scaler.scale(picture, width: Int32(columns), height: Int32(lines)) else { return }
        draw(small, columns, lines, into: &output)
        if !line.isEmpty { output += "\u{1b}[\(size.rows);1H\u{1b}[7m\(line.prefix(size.columns))\u{1b}[0m" }
        write(output)
    }

    private func draw(_ picture: UnsafeMutablePointer<AVFrame>, _ columns: Int, _ lines: Int, into output: inout String) {
        let pixels = UnsafeRawPointer(picture.pointee.data.0!)
        let stride = Int(picture.pointee.linesize.0)
        func color(_ x: Int, _ y: Int) -> UInt32 {
            let pixel = pixels + y * stride + x * 3
            return UInt32(pixel.load(as: UInt8.self)) << 16 | UInt32(pixel.load(fromByteOffset: 1, as: UInt8.self)) << 8
                | UInt32(pixel.load(fromByteOffset: 2, as: UInt8.self))
        }
        let left = (size.columns - columns) / 2
        let top = (size.rows - lines / 2) / 2
        for line in 0..<lines / 2 {
            output += "\u{1b}[\(top + line + 1);\(left + 1)H"
            var (front, behind): (UInt32?, UInt32?) = (nil, nil)
            for column in 0..<columns {
                let (upper, lower) = (color(column, line * 2), color(column, line * 2 + 1))
                // Only changes are said: most of a picture's neighbours look alike.
                if front != upper { output += "\u{1b}[38;2;\(upper >> 16);\(upper >> 8 & 255);\(upper & 255)m" }
                if behind != lower { output += "\u{1b}[48;2;\(lower >> 16);\(lower >> 8 & 255);\(lower & 255)m" }
                (front, behind) = (upper, lower)
                output += "▀"
            }
            output += "\u{1b}[0m"
        }
    }

    func keys() -> [PlayerKey] { keyboard?.keys() ?? [] }

    /// The whole terminal is taken anyway.
    func toggleFullScreen() {}

    /// In the last row, from the next picture on.
    func say(_ line: String) -> Bool {
        self.line = line
        return true
    }

    func close(summary: String) {
        restore()
        write(summary + "\n")
    }

    private func restore() {
        guard isOpen else { return }
        isOpen = false
        write("\u{1b}[0m\u{1b}[?25h\u{1b}[?1049l")
    }

    private func currentSize() -> (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    private func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if count < 0 && errno == EINTR { continue }
                // A terminal that is gone shows nothing; whoever plays hears of it by a signal.
                guard count > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }
}
