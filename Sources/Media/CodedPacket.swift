/// What is known of a coded packet, or a raw picture or period, beside its bytes.
public struct CodedPacket: Sendable, Hashable {
    /// Index into the publication's descriptions.
    public var stream: Int
    /// In ticks of the stream's time base; nil if unknown.
    public var pts: Int64?
    public var dts: Int64?
    /// In ticks; 0 if unknown.
    public var duration: Int64 = 0
    /// Decoding may start here.
    public var isKey: Bool = false
    /// What was right before is missing, or the times jump.
    public var isDiscontinuity: Bool = false
    /// The source says that the contents are damaged.
    public var isCorrupt: Bool = false
    /// Nanoseconds on CLOCK_MONOTONIC; nil if unknown.
    public var captureTime: Int64?
    /// Units (packets, pictures, periods) that the source itself lost right before.
    public var lost: UInt32 = 0

    public init(stream: Int, pts: Int64?, dts: Int64?) {
        self.stream = stream
        self.pts = pts
        self.dts = dts
    }

    /// When it is to be decoded: the dts, or the pts of streams that have no other.
    public var decodingTime: Int64? { dts ?? pts }
}
