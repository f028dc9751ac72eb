import Media

/// When what a coder is making was captured, by its time stamps: pictures come out later than they go in, and sound in other pieces.
struct CaptureTrack {
    let timeBase: TimeBase
    private var entries: [(time: Int64, capture: Int64)] = []
    /// More than any coder holds back.
    private let limit = 64

    init(timeBase: TimeBase) { self.timeBase = timeBase }

    mutating func note(_ packet: CodedPacket) {
        guard let pts = packet.pts, let capture = packet.captureTime else { return }
        if entries.count == limit { entries.removeFirst() }
        entries.append((timeBase.nanoseconds(pts), capture))
    }

    /// - Parameter time: nanoseconds of media time.
    /// - Returns: nanoseconds on CLOCK_MONOTONIC, by the nearest that is known; nil where nobody has told.
    func capture(of time: Int64) -> Int64? {
        guard let nearest = entries.min(by: { abs($0.time &- time) < abs($1.time &- time) }) else { return nil }
        return nearest.capture &+ (time &- nearest.time)
    }
}
