package import CLibAV
package import Media

/// An AVPacket.
package struct Packet: ~Copyable {
    package let pointer: UnsafeMutablePointer<AVPacket>

    package init() throws(MediaError) {
        LogTail.install()
        guard let pointer = av_packet_alloc() else { throw .noMemory("a packet") }
        self.pointer = pointer
    }

    deinit {
        var pointer: UnsafeMutablePointer<AVPacket>? = pointer
        av_packet_free(&pointer)
    }

    /// Drops what it holds, and takes a copy of `bytes` with the padding that libav's parsers read into.
    /// They read more than once, so they never get memory that a neighbour can change.
    package func copy(_ packet: CodedPacket, _ bytes: RawSpan) throws(MediaError) {
        av_packet_unref(pointer)
        guard let count = Int32(exactly: bytes.byteCount), av_new_packet(pointer, count) == 0 else {
            throw .noMemory("\(bytes.byteCount) octets")
        }
        bytes.withUnsafeBytes { from in
            if let base = from.baseAddress { pointer.pointee.data.update(from: base.assumingMemoryBound(to: UInt8.self), count: from.count) }
        }
        pointer.pointee.pts = packet.pts ?? clibav_no_pts()
        pointer.pointee.dts = packet.dts ?? clibav_no_pts()
        pointer.pointee.duration = packet.duration
        if packet.isKey { pointer.pointee.flags |= AV_PKT_FLAG_KEY }
        if packet.isCorrupt { pointer.pointee.flags |= AV_PKT_FLAG_CORRUPT }
    }

    /// What libav filled in, for stream `stream` of ours.
    package func description(stream: Int) -> CodedPacket {
        let packet = pointer.pointee
        var description = CodedPacket(
            stream: stream, pts: packet.pts == clibav_no_pts() ? nil : packet.pts,
            dts: packet.dts == clibav_no_pts() ? nil : packet.dts)
        description.duration = max(0, packet.duration)
        description.isKey = packet.flags & AV_PKT_FLAG_KEY != 0
        description.isCorrupt = packet.flags & AV_PKT_FLAG_CORRUPT != 0
        return description
    }

    /// Nobody has said when it is to be decoded or shown.
    package var hasNoTime: Bool { pointer.pointee.pts == clibav_no_pts() && pointer.pointee.dts == clibav_no_pts() }

    /// What a bitstream filter has found in it of the stream's headers.
    package var newExtradata: [UInt8]? {
        var size = 0
        guard let octets = av_packet_get_side_data(pointer, AV_PKT_DATA_NEW_EXTRADATA, &size), size > 0 else { return nil }
        return Array(UnsafeBufferPointer(start: octets, count: size))
    }

    /// Lends the bytes it holds.
    package func withBytes<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        guard let data = pointer.pointee.data, pointer.pointee.size > 0 else { return try body(RawSpan()) }
        let bytes = UnsafeRawBufferPointer(start: data, count: Int(pointer.pointee.size))
        return try body(bytes.bytes)
    }
}

extension MediaError {
    package static func noMemory(_ forWhat: String) -> MediaError {
        MediaError(.outOfMemory, what: "no memory for \(forWhat)")
    }
}
