import Glibc

/// A delay-locked loop of second order: how much faster sound has to be played, so that what is heard stays when it is due
/// though sender and card count time differently.
///
/// The proportional part pulls an error in, the integral one learns the clocks' ratio: with that known no error remains.
struct RateLoop {
    /// Radians a second: what comes and goes within some seconds is jitter, what stays is drift.
    private let bandwidth = 0.7
    /// Seconds over which errors are averaged first: cards tell their delay in steps.
    private let averaging = 0.3
    /// Nobody hears half a percent; no two clocks differ by more.
    private let limit = 0.005

    /// Seconds by which what is heard is late.
    private(set) var error = 0.0
    private var drift = 0.0

    /// - Parameters:
    ///   - error: seconds by which the next sample will be late.
    ///   - seconds: since the last call.
    /// - Returns: the part by which to play faster: 0.001 for 0.1 %.
    mutating func update(error sample: Double, after seconds: Double) -> Double {
        error += (sample - error) * (1 - exp(-seconds / averaging))
        // Where a packet is long, it cannot answer within one, and would swing.
        let bandwidth = min(bandwidth, 0.3 / max(seconds, 0.001))
        drift = min(max(drift + bandwidth * bandwidth * error * seconds, -limit), limit)
        return min(max(drift + 2 * bandwidth * error, -limit), limit)
    }

    /// The error is gone, because samples were left out or put in; the drift is what it was.
    mutating func restart() { error = 0 }
}
