import Media

/// Time stamps for streams that have none, such as a file of bare H.264: one packet after the other, by the rate that the stream names.
/// Pure logic.
///
/// Where pictures are reordered nobody knows when they are shown, and where there is no rate nobody knows anything: such packets stay
/// as they are.
struct MissingTimes {
    private struct Track {
        /// Ticks from packet to packet; nil where nobody knows.
        let step: Int64?
        var next: Int64?
    }

    private var tracks: [Track]

    init(_ streams: [StreamDescription]) {
        tracks = streams.map { Track(step: $0.video?.delay ?? 0 == 0 ? $0.packetTicks : nil) }
    }

    mutating func complete(_ packet: CodedPacket) -> CodedPacket {
        var packet = packet
        let track = tracks[packet.stream]
        let step = packet.duration > 0 ? packet.duration : track.step
        if packet.decodingTime == nil, track.step != nil {
            packet.pts = track.next ?? 0
            packet.dts = packet.pts
        }
        tracks[packet.stream].next = packet.decodingTime.flatMap { time in step.map { time &+ max(1, $0) } }
        return packet
    }
}
