/// What ffmpeg's framecrc muxer says of one stream's packets.
struct FrameCRC: Equatable {
    struct Packet: Equatable {
        let dts: Int64
        let pts: Int64
        let duration: Int64
        let size: Int
        let crc: String
    }

    /// `#tb 0: 1/12800`
    let timeBase: (Int64, Int64)
    let packets: [Packet]

    static func == (one: FrameCRC, other: FrameCRC) -> Bool { one.timeBase == other.timeBase && one.packets == other.packets }

    init(_ path: String, stream: Int) throws {
        let text = try Command.run(
            "ffmpeg", "-v", "error", "-i", path, "-map", "0:\(stream)", "-c", "copy", "-f", "framecrc", "-")
        var timeBase: (Int64, Int64) = (0, 1)
        packets = try text.split(separator: "\n").compactMap { line in
            if line.hasPrefix("#tb 0: ") {
                let parts = line.dropFirst("#tb 0: ".count).split(separator: "/").compactMap { Int64($0) }
                timeBase = (parts[0], parts[1])
            }
            if line.hasPrefix("#") { return nil }
            let fields = line.split(separator: ",").map { $0.drop { $0 == " " } }
            guard fields.count >= 6, let dts = Int64(fields[1]), let pts = Int64(fields[2]), let duration = Int64(fields[3]),
                let size = Int(fields[4])
            else { throw Command.Failure(description: "not a framecrc line: \(line)") }
            return Packet(dts: dts, pts: pts, duration: duration, size: size, crc: String(fields[5]))
        }
        self.timeBase = timeBase
    }

    /// Time stamps in milliseconds, for containers that know nothing finer.
    var milliseconds: [Int64] { packets.flatMap { [milliseconds($0.dts), milliseconds($0.pts)] } }
    private func milliseconds(_ ticks: Int64) -> Int64 {
        Int64((Double(ticks * timeBase.0 * 1000) / Double(timeBase.1)).rounded())
    }
    var contents: [String] { packets.map { "\($0.size) \($0.crc)" } }
}
