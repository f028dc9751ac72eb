import Media

/// Time stamps that jump ahead, joined to those before them, in containers where a jump is another beginning and no gap: transport
/// streams put together, or restarted. What jumps back is left to whoever writes; but libavformat takes a jump back by more than a
/// minute for the clock that goes round, and what arrives then is one ahead by 26 hours. Pure logic.
struct TimeJumps {
    private struct Track {
        let timeBase: TimeBase
        let isSubtitle: Bool
        /// What is added, in nanoseconds.
        var offset: Int64 = 0
        /// Where it has come to, moved, in nanoseconds; nil before the first packet.
        var end: Int64?
    }

    /// As long a pause may be, in nanoseconds.
    private static let longestPause: Int64 = 10_000_000_000
    private let isEnabled: Bool
    private var tracks: [Track]
    /// What was added since the last jump, to whoever has reached it.
    private var latest: Int64 = 0
    /// Jumps so far.
    private(set) var count = 0

    /// - Parameter isEnabled: whether the container is of that kind.
    init(_ streams: [StreamDescription], isEnabled: Bool) {
        self.isEnabled = isEnabled
        tracks = streams.map { Track(timeBase: $0.timeBase, isSubtitle: $0.isSubtitle) }
    }

    mutating func place(_ packet: CodedPacket) -> CodedPacket {
        guard isEnabled, let ticks = packet.decodingTime else { return packet }
        var track = tracks[packet.stream]
        defer { tracks[packet.stream] = track }
        let time = track.timeBase.nanoseconds(ticks)
        if let end = tracks.compactMap(\.end).max(), time &+ track.offset &- end > Self.longestPause {
            // Another stream may have reached the place already: together they stay.
            if track.offset == latest || (time &+ latest &- end).magnitude > Self.longestPause.magnitude, !track.isSubtitle {
                latest = (track.end ?? end) &- time
                count += 1
            }
            track.offset = latest
        }
        if !track.isSubtitle { track.end = track.timeBase.nanoseconds(ticks &+ max(1, packet.duration)) &+ track.offset }
        guard track.offset != 0 else { return packet }
        let moved = track.timeBase.ticks(track.offset, from: .nanosecond)
        var packet = packet
        packet.pts = packet.pts.map { $0 &+ moved }
        packet.dts = packet.dts.map { $0 &+ moved }
        return packet
    }
}
