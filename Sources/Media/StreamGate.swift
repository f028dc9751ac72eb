/// The consumer's side of the rules: what of a media network may be shown, written or sent on.
///
/// - Nothing before the description of the epoch it belongs to.
/// - A video stream begins at a key frame. Where there is video, sound and subtitles begin with it, unless
///   they are seen from their very first packet on: who is there from the beginning misses nothing.
/// - After a loss a video stream resumes at its next key frame; sound goes on at once. Each stream counts
///   its own messages, so a lost sound packet costs no picture.
/// - What has no time nobody can show: a packet without any is as good as lost, which a picture's successors may need.
/// - A description of another epoch is a new publication: the one before is over, and what still comes of
///   it is dropped, its descriptions too, until the new one has ended.
///
/// Pure logic: no calls, no clock. RT safe, but for descriptions.
public struct StreamGate: Sendable {
    public enum Verdict: Sendable, Equatable {
        /// A publication begins: open what these streams need.
        case newDescription([StreamDescription])
        /// Use it. `payload` is where its bytes are in the message. After a loss the packet is marked as a
        /// discontinuity, with the number lost added.
        case deliver(CodedPacket, payload: Range<Int>)
        case drop(Reason)
        /// The publication is over.
        case end
    }

    public enum Reason: Sendable, Equatable {
        /// No description of its epoch has come yet: ask the publisher for one.
        case noDescription
        case repeatedDescription
        /// Of a publication that another one has replaced.
        case retiredEpoch
        /// Not after what has been seen already.
        case stale
        case unknownStream
        /// A video stream that waits for its key frame.
        case awaitingKeyFrame
        /// Sound or subtitles that wait for the first picture.
        case awaitingVideo
        /// A packet of that stream without a time stamp.
        case noTime(stream: Int)
    }

    /// Of the current publication; empty before the first and after its end.
    public private(set) var streams: [StreamDescription] = []
    /// 0 if there is no publication.
    public private(set) var epoch: UInt64 = 0
    /// Messages of the epochs followed that never arrived.
    public private(set) var lostCount: UInt64 = 0

    private var retired: [UInt64] = []
    /// Nil where the place in the publication is a new one.
    private var nextSequence: UInt64?
    private var progress: [Progress] = []
    private var hasVideo = false
    private var hasBegun = false

    private struct Progress: Sendable {
        var next: UInt64?
        /// Seen from its first packet on, without loss.
        var isWhole = false
        var awaitsKeyFrame: Bool
        /// Lost, and not yet told of.
        var lost: UInt32 = 0
    }

    public init() {}

    /// Judges one message.
    /// - Parameter message: all of it, as it lies in the bus.
    /// - Throws: `.malformedMessage`, `.unsupportedVersion`; the gate is as it was before.
    public mutating func receive(_ message: RawSpan) throws(MediaError) -> Verdict {
        let (header, payload) = try MediaMessage.decode(message)
        guard header.epoch == epoch else {
            guard header.kind == .description else { return .drop(retired.contains(header.epoch) ? .retiredEpoch : .noDescription) }
            guard !retired.contains(header.epoch) else { return .drop(.retiredEpoch) }
            let streams = try MediaMessage.decodeStreams(message.extracting(payload))
            begin(header, streams)
            return .newDescription(streams)
        }
        let expected = nextSequence ?? header.sequence
        guard header.sequence >= expected else { return .drop(.stale) }
        if let packet = header.packet, streams.indices.contains(packet.stream),
            header.timeBase != streams[packet.stream].timeBase
        {
            throw .malformed("a time base that is not its stream's")
        }
        lostCount &+= header.sequence - expected
        nextSequence = header.sequence &+ 1

        switch header.kind {
        case .description: return .drop(.repeatedDescription)
        case .end:
            // Whoever was replaced and still sends has its turn again.
            retired = [epoch]
            forget()
            return .end
        case .packet(let packet), .picture(let packet), .sound(let packet):
            return judge(packet, header.streamSequence, payload)
        }
    }

    /// The reader goes to another place in the publication, perhaps back: what comes from there is judged as a joiner's, and nothing
    /// between counts as lost.
    public mutating func beginAnew() {
        nextSequence = nil
        hasBegun = false
        progress = streams.map { Progress(awaitsKeyFrame: $0.isVideo) }
    }

    private mutating func begin(_ header: MediaHeader, _ streams: [StreamDescription]) {
        if epoch != 0 {
            // Publishers that fight over a network are few; who was before the last eight may come back.
            retired = retired.suffix(7) + [epoch]
        }
        self.streams = streams
        epoch = header.epoch
        hasVideo = streams.contains { $0.isVideo }
        beginAnew()
        nextSequence = header.sequence &+ 1
    }

    private mutating func forget() {
        streams = []
        progress = []
        epoch = 0
    }

    private mutating func judge(_ packet: CodedPacket, _ sequence: UInt64, _ payload: Range<Int>) -> Verdict {
        guard streams.indices.contains(packet.stream) else { return .drop(.unknownStream) }
        let isVideo = streams[packet.stream].isVideo
        var state = progress[packet.stream]
        if state.next == nil { state.isWhole = sequence == 0 }
        if let next = state.next, sequence != next {
            state.isWhole = false
            state.lost = state.lost.addingReportingOverflow(UInt32(clamping: sequence &- next)).partialValue
            if isVideo { state.awaitsKeyFrame = true }
        }
        state.next = sequence &+ 1
        defer { progress[packet.stream] = state }

        guard packet.decodingTime != nil else {
            state.isWhole = false
            state.lost = state.lost.addingReportingOverflow(1).partialValue
            if isVideo { state.awaitsKeyFrame = true }
            return .drop(.noTime(stream: packet.stream))
        }
        if state.awaitsKeyFrame {
            guard packet.isKey else { return .drop(.awaitingKeyFrame) }
            state.awaitsKeyFrame = false
        }
        if isVideo { hasBegun = true }
        guard hasBegun || !hasVideo || state.isWhole else { return .drop(.awaitingVideo) }

        var packet = packet
        if state.lost > 0 {
            packet.isDiscontinuity = true
            packet.lost = packet.lost.addingReportingOverflow(state.lost).partialValue
            state.lost = 0
        }
        return .deliver(packet, payload: payload)
    }
}
