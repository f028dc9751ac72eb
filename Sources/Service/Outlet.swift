import LibAV
import Media
import Transcode

/// An open connection, with coders in front of it where streams are to be coded anew: these live as long as it does, and
/// so begin at a key frame as well.
struct Outlet: ~Copyable {
    private var muxer: Muxer
    private var transcoder: Transcoder?

    init(_ target: StreamTarget, _ streams: [StreamDescription], continuing: Bool, stop: StopFlag) throws(MediaError) {
        var coders: Transcoder?
        if !target.coding.isCopy {
            var coding = target.coding
            coding.keepsHeadersAside = Muxer.keepsHeadersAside(url: target.address, format: target.format, streams: streams)
            coders = try Transcoder(streams, coding)
        }
        let streams = coders?.streams ?? streams
        muxer = try Muxer(
            url: target.address, format: target.format, streams: streams, options: target.options, overwrite: true,
            continuing: continuing, stop: stop)
        transcoder = coders
    }

    mutating func write(_ packet: CodedPacket, _ bytes: RawSpan) throws(MediaError) {
        guard transcoder != nil else { return try muxer.write(packet, bytes) }
        try transcoder?.write(packet, bytes, into: &muxer)
    }

    mutating func finish() throws(MediaError) {
        try transcoder?.finish(into: &muxer)
        try muxer.finish()
    }
}
