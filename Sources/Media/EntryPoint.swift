/// Where a reader begins in what a publisher keeps for those who come later.
public enum Join: Sendable, Hashable {
    /// With what is sent from now on: at the next key frame.
    case next
    /// At the last key frame, so that there is a picture at once.
    case last
    /// With all that is kept.
    case all
    /// At the last key frame that is at least that many nanoseconds old, or else with all that is kept.
    case since(Int64)
}

/// A message that a reader can begin with.
public struct EntryPoint: Sendable, Hashable {
    /// The sender's number on the bus.
    public let sender: UInt64
    /// The bus's sequence of the description to begin with.
    public let description: UInt64
    /// The bus's sequence of the key frame, or where there is no video, of a packet.
    public let key: UInt64
    public let epoch: UInt64
    /// Nanoseconds on CLOCK_MONOTONIC; nil if unknown.
    public let captureTime: Int64?
}

/// Finds the entry points in a stretch of messages, from their headers.
///
/// Pure logic: no calls, no clock.
public struct EntryPoints: Sendable {
    /// In the order in which they were sent.
    public private(set) var points: [EntryPoint] = []
    /// The last description that was met, with or without a key frame behind it.
    public private(set) var description: (sender: UInt64, sequence: UInt64)?
    private var epoch: UInt64 = 0
    private var streams: [StreamDescription] = []
    /// The stream at whose key frames one begins: the first with pictures; nil where there are none.
    private var leadingStream: Int?

    public init() {}

    /// Goes on in a publication that is known already: points need no description then.
    public init(epoch: UInt64, streams: [StreamDescription]) {
        self.epoch = epoch
        follow(streams)
    }

    /// Takes in the next message. What is no media message is no entry point.
    /// - Parameters:
    ///   - sender, sequence: the bus's.
    public mutating func note(_ message: RawSpan, sender: UInt64, sequence: UInt64) {
        guard let (header, payload) = try? MediaMessage.decode(message) else { return }
        switch header.kind {
        case .description:
            if header.epoch != epoch {
                guard let streams = try? MediaMessage.decodeStreams(message.extracting(payload)) else { return }
                points = []
                epoch = header.epoch
                follow(streams)
            }
            description = (sender, sequence)
        case .end:
            guard header.epoch == epoch else { return }
            // Of what is over nobody wants to begin.
            points = []
            description = nil
            epoch = 0
        case .packet(let packet), .picture(let packet), .sound(let packet):
            guard header.epoch == epoch, streams.indices.contains(packet.stream) else { return }
            guard leadingStream.map({ packet.isKey && packet.stream == $0 }) ?? true else { return }
            points.append(
                EntryPoint(
                    sender: sender, description: description?.sequence ?? sequence, key: sequence, epoch: epoch,
                    captureTime: packet.captureTime))
        }
    }

    /// - Parameter now: nanoseconds on CLOCK_MONOTONIC.
    /// - Returns: nil where there is nothing to begin with.
    public func point(for join: Join, now: Int64) -> EntryPoint? {
        switch join {
        case .next: nil
        case .last: points.last
        case .all: points.first
        case .since(let age): points.last { ($0.captureTime ?? .max) <= now - age } ?? points.first
        }
    }

    private mutating func follow(_ streams: [StreamDescription]) {
        self.streams = streams
        leadingStream = streams.firstIndex { $0.isVideo }
    }
}
