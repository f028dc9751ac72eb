import Foundation

/// Reads the bar code of a test signal's pictures with ffmpeg and arithmetic, as anybody would: nothing of ours is in it.
struct FrameCodeReader {
    struct Reading: Equatable {
        let number: Int
        let milliseconds: Int
    }

    /// One for each picture that ffmpeg decodes; nil where the check does not fit.
    static func read(_ path: String) throws -> [Reading?] {
        let cells = FileManager.default.temporaryDirectory.appendingPathComponent("cells-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: cells) }
        try Command.run(
            "ffmpeg", "-v", "error", "-i", path, "-vf", "crop=iw:ih/8:0:ih*7/8,scale=40:2:flags=area,format=gray", "-f", "rawvideo",
            cells.path)
        let octets = [UInt8](try Data(contentsOf: cells))
        return stride(from: 0, to: octets.count, by: 80).map { start in
            let rows = [start, start + 40].map { row in octets[row..<row + 40].reduce(0) { $0 << 1 | ($1 > 127 ? 1 : 0) } }
            guard rows.allSatisfy({ check($0 >> 8) == $0 & 0xff }) else { return nil }
            return Reading(number: rows[0] >> 8, milliseconds: rows[1] >> 8)
        }
    }

    /// CRC-8, polynomial 07, from FF, bit by bit over 32 bits.
    private static func check(_ value: Int) -> Int {
        (0..<32).reversed().reduce(0xff) { sum, bit in
            let carry = sum >> 7 ^ value >> bit & 1
            return sum << 1 & 0xff ^ (carry == 1 ? 0x07 : 0)
        }
    }
}
