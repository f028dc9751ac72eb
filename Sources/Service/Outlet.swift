import Media
import Transcode

/// An open connection, with coders in front of it where streams are to be coded anew: these live as long as it does, and
/// so begin at a key frame as well.
struct Outlet: ~Copyable {
    private var carrier: Carrier
    private var transcoder: Transcoder?
    /// Of the streams given, the subtitles that do not go there.
    let leftOut: [StreamDescription]

    init(_ target: StreamTarget, _ streams: [StreamDescription], continuing: Bool, stop: StopFlag) throws(MediaError) {
        var coders: Transcoder?
        if !target.coding.isCopy {
            var coding = target.coding
            coding.keepsHeadersAside = Carrier.keepsHeadersAside(target, streams)
            coders = try Transcoder(streams, coding)
        }
        let streams = coders?.streams ?? streams
        let carrier = try Carrier(target, streams, continuing: continuing, stop: stop)
        let sent = carrier.sent.map(\.index)
        leftOut = streams.filter { $0.isSubtitle && !sent.contains($0.index) }
        self.carrier = carrier
        transcoder = coders
    }

    /// Packets that were sent.
    var packetCount: UInt64 { carrier.packetCount }

    mutating func write(_ packet: CodedPacket, _ bytes: RawSpan) throws(MediaError) {
        guard transcoder != nil else { return try carrier.write(packet, bytes) }
        try transcoder?.write(packet, bytes, into: &carrier)
    }

    /// What came in damaged to be coded anew, since the last call.
    func takeDamage() -> UInt64 { transcoder?.takeDamage() ?? 0 }

    mutating func finish() throws(MediaError) {
        try transcoder?.finish(into: &carrier)
        try carrier.finish()
    }
}
