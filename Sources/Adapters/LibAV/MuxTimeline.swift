import Media

/// The time stamps of what is written: beginning at 0, and never going back. Pure logic.
///
/// - Recorded from its beginning, a publication is moved by its own start (the earliest of its streams),
///   which is 0 for most files: then no time stamp changes.
/// - Joined in mid-stream, it is moved by the first packet's time. All streams are moved by the same time,
///   so they stay together.
/// - A jump back is joined to what was written before; a dts that stands still is moved by one tick, as
///   containers refuse it otherwise.
struct MuxTimeline {
    private struct Track {
        let timeBase: TimeBase
        let startTime: Int64?
        var lastDts: Int64?
    }

    private var tracks: [Int: Track]
    /// Nanoseconds that are taken away; nil before the first packet.
    private var origin: Int64?
    /// Where what was written ends, in nanoseconds; nil before the first packet.
    private var end: Int64?
    /// A dts that is less than this behind is a stumble, not a jump; nanoseconds.
    private let stumble: Int64 = 500_000_000

    init(_ streams: [StreamDescription]) {
        tracks = Dictionary(
            uniqueKeysWithValues: streams.map { ($0.index, Track(timeBase: $0.timeBase, startTime: $0.startTime)) })
    }

    /// Takes another's origin instead of finding one.
    mutating func begin(at nanoseconds: Int64) { origin = nanoseconds }

    /// The next packet begins another publication, wherever its time stamps begin: it is laid on the end of what was written.
    mutating func goOn() { origin = nil }

    /// - Returns: the packet in the stream's own time base, moved; nil if it has no time at all.
    mutating func place(_ packet: CodedPacket) -> CodedPacket? {
        guard let track = tracks[packet.stream], let time = packet.decodingTime else { return nil }
        if origin == nil { origin = end.map { beginning(track, time, packet.pts) &- $0 } ?? firstOrigin(track, time, packet.pts) }
        var placed = moved(packet, track)
        if let last = track.lastDts, let dts = placed.decodingTime, dts <= last {
            if track.timeBase.nanoseconds(last &- dts) > stumble {
                let target = track.timeBase.nanoseconds(last &+ max(1, packet.duration))
                origin = track.timeBase.nanoseconds(time) &- target
                placed = moved(packet, track)
            }
            if let dts = placed.decodingTime, dts <= last {
                placed.dts = last + 1
                placed.pts = placed.pts.map { max($0, last + 1) }
            }
        }
        tracks[packet.stream]?.lastDts = placed.decodingTime
        if let dts = placed.decodingTime {
            let end = track.timeBase.nanoseconds(max(dts, placed.pts ?? dts) &+ max(1, packet.duration))
            self.end = max(self.end ?? end, end)
        }
        return placed
    }

    private func beginning(_ track: Track, _ dts: Int64, _ pts: Int64?) -> Int64 { track.timeBase.nanoseconds(min(dts, pts ?? dts)) }

    private func firstOrigin(_ track: Track, _ dts: Int64, _ pts: Int64?) -> Int64 {
        let starts = tracks.values.compactMap { track in track.startTime.map { track.timeBase.nanoseconds($0) } }
        if let own = track.startTime, let earliest = starts.min(), min(dts, pts ?? dts) <= own { return earliest }
        return beginning(track, dts, pts)
    }

    private func moved(_ packet: CodedPacket, _ track: Track) -> CodedPacket {
        let ticks = track.timeBase.ticks(origin ?? 0, from: .nanosecond)
        var packet = packet
        packet.pts = packet.pts.map { $0 &- ticks }
        packet.dts = packet.dts.map { $0 &- ticks }
        return packet
    }
}
