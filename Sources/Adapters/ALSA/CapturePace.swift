/// Whether a device has more sound than time has passed, as alsa-lib's "null" and "file" do, which have no clock and would flood everybody.
/// Pure logic, RT safe.
struct CapturePace {
    /// Frames since when, nanoseconds on CLOCK_MONOTONIC.
    private var frames: Int64 = 0
    private var start: Int64 = 0

    /// - Parameters:
    ///   - count: frames that were just read.
    ///   - buffer: frames that may have waited, and come at once.
    ///   - now: looked at every some seconds only.
    mutating func isTooFast(_ count: Int64, rate: Int64, buffer: Int64, now: @autoclosure () -> Int64) -> Bool {
        frames += count
        guard frames > 2 * rate + buffer else { return false }
        let end = now()
        let isTooFast = end - start < 1_000_000_000
        (frames, start) = (0, end)
        return isTooFast
    }
}
