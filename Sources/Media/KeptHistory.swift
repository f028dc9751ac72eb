/// How much a publisher keeps for those who join later.
public enum HistoryExtent: Sendable, Hashable {
    case none
    /// From the last key frame on, as long as that is not more than so many octets.
    case lastKeyFrame(atMost: Int)
    /// From a key frame on that is at least that many nanoseconds old.
    case time(Int64)
    /// As many key frames as fit in so many octets.
    case octets(Int)

    /// What publications of these streams keep unless told otherwise: raw pictures and sound can be begun with at any time, and
    /// keeping them would cost the writer its warm memory.
    public static func usual(for streams: [StreamDescription]) -> HistoryExtent {
        streams.contains { $0.isVideo && $0.codec != "rawvideo" } ? .lastKeyFrame(atMost: 64 << 20) : .none
    }

    /// Whether it is the past that is asked for, and not only a picture for who joins.
    public var isOfThePast: Bool {
        switch self {
        case .none, .lastKeyFrame: false
        case .time, .octets: true
        }
    }

    /// Messages to make a network's history with: 2048 are half a minute of a picture and its sound.
    public var messages: Int {
        switch self {
        case .none: 0
        case .lastKeyFrame: 2048
        case .time(let nanoseconds): min(max(Int(nanoseconds / 1_000_000_000) * 256, 2048), 65_536)
        case .octets: 16_384
        }
    }
}

/// What a publisher keeps: where the messages begin that are worth it. Pure logic: no calls, no clock.
///
/// An entry is a description and a key frame soon behind it; only whole entries are given up.
public struct KeptHistory: Sendable {
    public let extent: HistoryExtent
    /// The last entry alone was too much, and nothing is worth keeping until the next one.
    public private(set) var isOverfull = false
    private var entries: [Entry] = []

    private struct Entry: Sendable {
        let sequence: UInt64
        let time: Int64
        var octets = 0
    }

    public init(_ extent: HistoryExtent) { self.extent = extent }

    /// The bus's sequence of the first message to keep; nil for none.
    public var start: UInt64? { entries.first?.sequence }

    /// A message is next that one may begin with.
    /// - Parameters:
    ///   - description: the bus's sequence of the description before it.
    ///   - now: nanoseconds on CLOCK_MONOTONIC.
    public mutating func begin(description: UInt64, now: Int64) {
        guard extent != .none, entries.last?.sequence != description else { return }
        isOverfull = false
        entries.append(Entry(sequence: description, time: now))
        trim(now)
    }

    /// A message was sent.
    public mutating func add(octets: Int) {
        guard !entries.isEmpty else { return }
        entries[entries.count - 1].octets += octets
        guard let limit else { return }
        var total = entries.reduce(0) { $0 + $1.octets }
        while total > limit, let first = entries.first {
            total -= first.octets
            entries.removeFirst()
        }
        isOverfull = entries.isEmpty
    }

    /// The bus has let go of all that is older: an entry that began there is none any more.
    /// - Returns: whether that was the last.
    @discardableResult
    public mutating func drop(before sequence: UInt64) -> Bool {
        guard let first = entries.first, first.sequence < sequence else { return false }
        entries.removeAll { $0.sequence < sequence }
        isOverfull = entries.isEmpty
        return isOverfull
    }

    /// Nothing of it is worth anything any more.
    public mutating func forget() { entries = [] }

    private var limit: Int? {
        switch extent {
        case .lastKeyFrame(let octets), .octets(let octets): octets
        case .none, .time: nil
        }
    }

    private mutating func trim(_ now: Int64) {
        switch extent {
        case .none, .octets: break
        case .lastKeyFrame: entries.removeFirst(entries.count - 1)
        case .time(let age):
            // The one that is old enough stays: what lies between it and the next belongs to the time asked for.
            while entries.count > 1, entries[1].time <= now - age { entries.removeFirst() }
        }
    }
}
