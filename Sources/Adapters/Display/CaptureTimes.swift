/// When the pictures that are being decoded were captured, by their time stamps: decoders hand out pictures, not packets.
struct CaptureTimes {
    private var entries: [(time: Int64, capture: Int64)] = []
    /// More than any decoder holds back.
    private let limit = 64

    /// - Parameters:
    ///   - time: nanoseconds of media time.
    ///   - capture: nanoseconds on CLOCK_MONOTONIC.
    mutating func note(_ time: Int64, _ capture: Int64) {
        if entries.count == limit { entries.removeFirst() }
        entries.append((time, capture))
    }

    /// Nil where nobody has told.
    func capture(of time: Int64) -> Int64? { entries.last { $0.time == time }?.capture }

    mutating func clear() { entries.removeAll(keepingCapacity: true) }
}
