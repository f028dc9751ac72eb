import Media

/// Keeps the time stamps of a looped file rising: how far the passes before have come. Pure logic.
struct LoopOffset {
    private struct Span {
        let timeBase: TimeBase
        var firstPts: Int64?
        var firstDts: Int64?
        /// Where the stream has come to: of the latest packet, with its duration.
        var endPts: Int64?
        var endDts: Int64?
    }

    private var spans: [Span]
    /// Nanoseconds.
    private var offset: Int64

    /// - Parameter offset: by how much the first pass is moved, in nanoseconds.
    init(_ streams: [StreamDescription], offset: Int64 = 0) {
        spans = streams.map { Span(timeBase: $0.timeBase) }
        self.offset = offset
    }

    /// Where the time stamps have come to, in nanoseconds; nil where there were none.
    var end: Int64? {
        spans.compactMap { span in (span.endPts ?? span.endDts).map { span.timeBase.nanoseconds($0) &+ offset } }.max()
    }

    /// Notes where the packet lies in the file, and moves it to this pass.
    mutating func place(_ packet: CodedPacket) -> CodedPacket {
        let timeBase = spans[packet.stream].timeBase
        if let pts = packet.pts {
            spans[packet.stream].firstPts = min(pts, spans[packet.stream].firstPts ?? pts)
            spans[packet.stream].endPts = max(pts &+ packet.duration, spans[packet.stream].endPts ?? .min)
        }
        if let dts = packet.dts {
            spans[packet.stream].firstDts = spans[packet.stream].firstDts ?? dts
            spans[packet.stream].endDts = max(dts &+ max(1, packet.duration), spans[packet.stream].endDts ?? .min)
        }
        guard offset != 0 else { return packet }
        let ticks = timeBase.ticks(offset, from: .nanosecond)
        var packet = packet
        packet.pts = packet.pts.map { $0 &+ ticks }
        packet.dts = packet.dts.map { $0 &+ ticks }
        return packet
    }

    /// The file begins again. All streams are moved by the same time, so that they stay together: the
    /// longest stretch from the first start to the last end, and no less than keeps each dts rising.
    mutating func wrap() {
        let starts = spans.compactMap { span in span.firstPts.map { span.timeBase.nanoseconds($0) } }
        let ends = spans.compactMap { span in span.endPts.map { span.timeBase.nanoseconds($0) } }
        var length: Int64 = 0
        if let start = starts.min(), let end = ends.max() { length = end &- start }
        for span in spans {
            guard let first = span.firstDts, let end = span.endDts else { continue }
            length = max(length, span.timeBase.nanoseconds(end &- first))
        }
        offset = offset &+ length
    }
}
