/// The number and the time of a picture in cells that are black (0) or white (1), for programs that see it on the other side.
///
/// ```
///  7/8 of the height ─ n31 n30 … n0 c7 … c0    number of the picture, from 0
///                    ─ t31 t30 … t0 c7 … c0    its time in milliseconds, from 0
///  below               ──────── 40 cells over the whole width ────────
/// ```
/// c is CRC-8 (polynomial 07, from FF) of the four octets before it. Cells are equally wide and high, so
/// `ffmpeg -i … -vf crop=iw:ih/8:0:ih*7/8,scale=40:2:flags=area,format=gray -f rawvideo -` gives an octet for each.
enum FrameCode {
    static let columns = 40
    static let rows = 2

    /// Of one row, from left to right.
    static func cells(_ value: UInt32) -> [Bool] {
        let word = UInt64(value) << 8 | UInt64(check(value))
        return (0..<columns).map { word & 1 << (columns - 1 - $0) != 0 }
    }

    private static func check(_ value: UInt32) -> UInt8 {
        var sum: UInt8 = 0xff
        for shift in [24, 16, 8, 0] {
            sum ^= UInt8(truncatingIfNeeded: value >> shift)
            for _ in 0..<8 { sum = sum & 0x80 != 0 ? sum << 1 ^ 0x07 : sum << 1 }
        }
        return sum
    }
}
