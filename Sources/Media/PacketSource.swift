/// Where packets come from: a file, an address, an encoder.
public protocol PacketSource: ~Copyable {
    /// All streams, in order of their index.
    var streams: [StreamDescription] { get }

    /// How often `streams` has changed. A call of `next` may change them: the packet that it returns is of the new ones.
    var generation: Int { get }

    /// Goes on to the next packet. May block on a file or a network.
    /// - Returns: nil at the end.
    /// - Throws: `.interrupted` as `listen` has it.
    mutating func next() throws(MediaError) -> CodedPacket?

    /// Lends the bytes of the packet that `next` returned last; none before the first and after the last.
    func withBytes<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result

    /// Makes the next picture one that a newcomer can begin with, where the source can.
    mutating func requestKeyFrame()

    /// Whether asking for one helps: where the pictures are coded here.
    var makesKeyFrames: Bool { get }

    /// Stops producing until the next packet is asked for, where the source can.
    mutating func rest()

    /// Whether it goes on after a rest where it was, as a file does, so that what was before still comes before it.
    var standsStillAtRest: Bool { get }

    /// Whether its packets are there as soon as they are asked for, as those of a file are. Where they come when they come, over a network or
    /// through a pipe, they do so by a clock of somebody else's.
    var comesWhenAsked: Bool { get }

    /// Has `next` end with `.interrupted`, where the source can, once there is something on `descriptor` and while it waits, and when
    /// `isAway` has changed.
    mutating func listen(to descriptor: CInt)

    /// Whether it waits for a device or a server to come back.
    var isAway: Bool { get }
}

extension PacketSource where Self: ~Copyable {
    public var generation: Int { 0 }
    public mutating func requestKeyFrame() {}
    public var makesKeyFrames: Bool { false }
    public mutating func rest() {}
    public var standsStillAtRest: Bool { false }
    public var comesWhenAsked: Bool { false }
    public mutating func listen(to descriptor: CInt) {}
    public var isAway: Bool { false }
}

/// Where packets go: a file, an address, a screen.
public protocol PacketSink: ~Copyable {
    /// Takes a packet; its bytes are copied before anything reads them twice. May block.
    mutating func write(_ packet: CodedPacket, _ bytes: RawSpan) throws(MediaError)

    /// Writes what is still held back and what belongs at the end.
    mutating func finish() throws(MediaError)
}
