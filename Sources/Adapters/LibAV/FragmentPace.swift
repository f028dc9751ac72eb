import Media

/// When what is held back has to go to the disk: a fragment's length after its first packet, on the stream's clock and on
/// ours, whichever comes first. Pure logic.
struct FragmentPace {
    /// Nanoseconds.
    let length: Int64
    private var start: (time: Int64, arrival: Int64)?

    init(length: Int64) { self.length = length }

    /// On CLOCK_MONOTONIC; nil where nothing is held back.
    var due: Int64? { start.map { $0.arrival &+ length } }

    /// - Parameter time: of the next packet, in nanoseconds on the stream's clock.
    func isDue(at time: Int64) -> Bool {
        guard let start else { return false }
        return (time &- start.time).magnitude >= length.magnitude
    }

    /// A packet is held back from now on.
    mutating func begin(at time: Int64) { if start == nil { start = (time, monotonicNanoseconds()) } }

    mutating func end() { start = nil }
}
