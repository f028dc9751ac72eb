import Media

/// Says into which file a packet goes, and when the next one begins: at a key frame of the leading stream, and the others
/// change over where their own time reaches it, so that what is cut fits together again without a gap. Pure logic.
struct SegmentCutter {
    enum Place: Equatable {
        case current
        /// The file before: it is not closed until `isSettled`.
        case previous
        /// The first packet of a new file.
        case next
    }

    private let streams: [StreamDescription]
    /// The first with pictures; without any, the first.
    let lead: Int
    private let length: Int64?
    private var elapsed: Int64 = 0
    /// When the last packet of the leading stream that may begin a file is shown.
    private var lastKey: Int64?
    /// Where the last cut was, and who has not reached it yet.
    private var boundary: Int64?
    private var behind: Set<Int> = []
    /// Nanoseconds that a stream may be behind the leading one; one that is silent holds no file open for longer.
    private let tolerance: Int64 = 2_000_000_000
    /// Containers round time stamps: a key frame that comes so much early is the one that was meant.
    private let slack: Int64 = 20_000_000

    /// - Parameter length: nanoseconds; nil: never cut.
    init(_ streams: [StreamDescription], length: Int64?) {
        self.streams = streams
        self.length = length
        lead = (streams.first { $0.isVideo } ?? streams.first)?.index ?? 0
    }

    /// Nobody writes into the file before any more.
    var isSettled: Bool { boundary == nil }

    mutating func place(_ packet: CodedPacket) -> Place {
        guard let stream = streams.first(where: { $0.index == packet.stream }), let decoding = packet.decodingTime else { return .current }
        let shown = stream.timeBase.nanoseconds(packet.pts ?? decoding)
        guard packet.stream == lead else { return placeBesides(packet.stream, shown) }
        let time = stream.timeBase.nanoseconds(decoding)
        if let boundary, time &- boundary > tolerance || time < boundary &- tolerance { settle() }
        guard packet.isKey else { return .current }
        // Jumps back count for nothing: the file goes on where it was.
        if let lastKey { elapsed = elapsed &+ max(0, shown &- lastKey) }
        lastKey = shown
        guard let length, elapsed >= length - slack else { return .current }
        // The beginnings stay where they are asked for, however far apart the key frames are.
        elapsed = elapsed < 2 * length ? elapsed - length : 0
        boundary = shown
        behind = Set(streams.map(\.index)).subtracting([lead])
        if behind.isEmpty { settle() }
        return .next
    }

    private mutating func placeBesides(_ stream: Int, _ time: Int64) -> Place {
        guard let boundary, behind.contains(stream) else { return .current }
        if time < boundary, boundary &- time < tolerance { return .previous }
        behind.remove(stream)
        if behind.isEmpty { settle() }
        return .current
    }

    private mutating func settle() {
        boundary = nil
        behind = []
    }
}
