import LibAV
import Media

/// A file that is being written.
struct Segment: ~Copyable {
    let path: String
    private var muxer: Muxer

    /// - Throws: as `Muxer`.
    init(_ path: String, _ settings: RecordSettings, _ streams: [StreamDescription], stop: StopFlag) throws(MediaError) {
        let muxer = try Muxer(
            url: path, format: settings.format, streams: streams, options: settings.options, overwrite: settings.overwrite,
            fragment: settings.fragment, stop: stop)
        for stream in streams where !muxer.streams.contains(stream) { say("\(path): takes no \(stream): left out") }
        self.path = path
        self.muxer = muxer
    }

    /// - Returns: whether it went into the file: not of a stream that the container does not take.
    mutating func write(_ packet: CodedPacket, _ bytes: RawSpan) throws(MediaError) -> Bool {
        let before = muxer.packetCount
        try muxer.write(packet, bytes)
        return muxer.packetCount > before
    }

    /// Nothing was written but what surrounds packets.
    var isEmpty: Bool { muxer.packetCount == 0 }

    /// As `Muxer.flushIfDue`.
    mutating func flushIfDue(_ now: Int64) throws(MediaError) -> Int64? { try muxer.flushIfDue(now) }

    mutating func finish() throws(MediaError) { try muxer.finish() }

    /// Bytes on the disk.
    var size: UInt64 { DiskSpace.size(of: path) }
    /// Bytes that were written, and are not on the disk yet: at least.
    var heldBack: UInt64 { muxer.byteCount - min(muxer.byteCount, size) }
}
