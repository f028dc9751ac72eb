import CLibAV
import LibAVBase
import Media

/// Eight bars, a time code, and a block that crosses the picture once a second; white for the first tenth of
/// each second, together with the beep. Where it flashes, all of the picture is white then.
struct TestPicture: ~Copyable {
    let frame: Frame
    private let background: Frame
    private let width: Int
    private let height: Int
    private let settings: SignalSettings

    init(_ settings: SignalSettings) throws(MediaError) {
        let (width, height) = (Int(settings.width), Int(settings.height))
        self.width = width
        self.height = height
        self.settings = settings
        let frame = try Self.allocate(width, height)
        self.background = try Self.allocate(width, height)
        self.frame = frame
        for (position, bar) in Self.bars.enumerated() {
            let left = width * position / Self.bars.count
            let right = width * (position + 1) / Self.bars.count
            fill(background, left..<right, 0..<height, bar)
        }
    }

    private static func allocate(_ width: Int, _ height: Int) throws(MediaError) -> Frame {
        let frame = try Frame()
        frame.pointer.pointee.width = Int32(width)
        frame.pointer.pointee.height = Int32(height)
        frame.pointer.pointee.format = AV_PIX_FMT_YUV420P.rawValue
        frame.pointer.pointee.color_range = AVCOL_RANGE_MPEG
        frame.pointer.pointee.colorspace = AVCOL_SPC_BT709
        guard av_frame_get_buffer(frame.pointer, 0) >= 0 else { throw .noMemory("a picture") }
        return frame
    }

    /// Y, U, V of limited range.
    private typealias Color = (UInt8, UInt8, UInt8)
    /// SMPTE's colours at 75 %, BT.709.
    private static let bars: [Color] = [
        (180, 128, 128), (168, 44, 136), (145, 147, 44), (133, 63, 52), (63, 193, 204), (51, 109, 212), (28, 212, 120), (16, 128, 128),
    ]
    private static let white: Color = (235, 128, 128)
    private static let black: Color = (16, 128, 128)

    /// - Parameter count: pictures before this one.
    func draw(_ count: Int64) throws(MediaError) {
        // The encoder may still hold a reference to what was drawn before.
        guard av_frame_make_writable(frame.pointer) >= 0, av_frame_copy(frame.pointer, background.pointer) >= 0 else {
            throw .noMemory("a picture")
        }
        let rate = settings.frameRate
        let perSecond = max(1, Int64(rate.value.rounded()))
        let part = Double(count % perSecond) / Double(perSecond)
        // By the time, not by the count: the sound knows nothing of rates.
        let milliseconds = TimeBase(rate.denominator, rate.numerator)!.nanoseconds(count) / 1_000_000
        if settings.flashes, milliseconds % 1000 < 100 { fill(frame, 0..<width, 0..<height, Self.white) }
        let side = max(2, height / 8)
        let left = Int(part * Double(width - side))
        fill(frame, left..<left + side, height * 3 / 4..<height * 3 / 4 + side, part < 0.1 ? Self.white : Self.black)
        drawTimeCode(count, perSecond)
        if settings.hasFrameCode {
            drawFrameCode([UInt32(truncatingIfNeeded: count), UInt32(truncatingIfNeeded: milliseconds)])
        }
    }

    private func drawFrameCode(_ values: [UInt32]) {
        let top = height * 7 / 8
        for (row, value) in values.enumerated() {
            let lines = top + (height - top) * row / FrameCode.rows..<top + (height - top) * (row + 1) / FrameCode.rows
            for (column, isWhite) in FrameCode.cells(value).enumerated() {
                let cell = width * column / FrameCode.columns..<width * (column + 1) / FrameCode.columns
                fill(frame, cell, lines, isWhite ? Self.white : Self.black)
            }
        }
    }

    private func drawTimeCode(_ count: Int64, _ perSecond: Int64) {
        let seconds = count / perSecond
        let numbers = [seconds / 3600 % 100, seconds / 60 % 60, seconds % 60, count % perSecond]
        let text = numbers.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
        // Even, so that chroma falls on whole samples.
        let scale = max(1, width / (text.count * (DigitFont.width + 1) * 2 * 2)) * 2
        let cell = (DigitFont.width + 1) * scale
        let left = (width - text.count * cell) / 4 * 2
        let top = height / 8 * 2
        fill(frame, left - scale..<left + text.count * cell, top - scale..<top + (DigitFont.height + 1) * scale, Self.black)
        for (position, character) in text.utf8.enumerated() {
            for (row, bits) in DigitFont.rows(character).enumerated() {
                for column in 0..<DigitFont.width where bits & (1 << (DigitFont.width - 1 - column)) != 0 {
                    let x = left + position * cell + column * scale
                    let y = top + row * scale
                    fill(frame, x..<x + scale, y..<y + scale, Self.white)
                }
            }
        }
    }

    /// What lies outside the picture is left out: the smallest have no room for a time code.
    private func fill(_ frame: borrowing Frame, _ x: Range<Int>, _ y: Range<Int>, _ color: Color) {
        let (x, y) = (x.clamped(to: 0..<width), y.clamped(to: 0..<height))
        let data = frame.pointer.pointee.data
        let stride = frame.pointer.pointee.linesize
        for row in y { (data.0! + row * Int(stride.0) + x.lowerBound).update(repeating: color.0, count: x.count) }
        let columns = x.lowerBound / 2..<(x.upperBound + 1) / 2
        for row in y.lowerBound / 2..<(y.upperBound + 1) / 2 {
            (data.1! + row * Int(stride.1) + columns.lowerBound).update(repeating: color.1, count: columns.count)
            (data.2! + row * Int(stride.2) + columns.lowerBound).update(repeating: color.2, count: columns.count)
        }
    }
}
