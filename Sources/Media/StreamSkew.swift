/// By how much later a reader takes pictures than the sound that belongs to them: what a viewer would see who shows everything at
/// once. Of several streams of a kind the first counts. Pure logic: no calls, no clock. RT safe.
public struct StreamSkew: Sendable {
    private let video: (index: Int, timeBase: TimeBase)?
    private let audio: (index: Int, timeBase: TimeBase)?
    /// When each was taken, less its time stamps: nanoseconds.
    private var picture: Int64?
    private var sound: Int64?
    /// Nanoseconds, evened out; nil before both were seen.
    public private(set) var value: Int64?

    /// More than this, in nanoseconds, is a jump of the time stamps, not a delay.
    private static let jump: Int64 = 1_000_000_000

    public init(of streams: [StreamDescription]) {
        video = streams.first { $0.isVideo }.map { ($0.index, $0.timeBase) }
        audio = streams.first { $0.isAudio }.map { ($0.index, $0.timeBase) }
    }

    /// - Parameter taken: nanoseconds on CLOCK_MONOTONIC.
    public mutating func note(_ packet: CodedPacket, taken: Int64) {
        // A source is paced by decoding times.
        guard let time = packet.decodingTime else { return }
        if let video, video.index == packet.stream {
            let offset = Self.offset(time, video.timeBase, taken)
            if Self.isJump(from: picture, to: offset) { sound = nil }
            picture = offset
        } else if let audio, audio.index == packet.stream {
            let offset = Self.offset(time, audio.timeBase, taken)
            if Self.isJump(from: sound, to: offset) { picture = nil }
            sound = offset
        } else {
            return
        }
        guard let picture, let sound else { return value = nil }
        let now = Self.difference(picture, sound)
        // A single packet that was late says little.
        value = value.map { Int64(clamping: Int128($0) + (Int128(now) - Int128($0)) / 16) } ?? now
    }

    private static func offset(_ time: Int64, _ timeBase: TimeBase, _ taken: Int64) -> Int64 {
        difference(taken, timeBase.nanoseconds(time))
    }

    /// Time stamps come from strangers.
    private static func difference(_ one: Int64, _ other: Int64) -> Int64 { Int64(clamping: Int128(one) - Int128(other)) }

    private static func isJump(from before: Int64?, to now: Int64) -> Bool {
        before.map { difference(now, $0).magnitude > jump.magnitude } ?? false
    }
}
