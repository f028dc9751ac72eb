/// When to try a connection again that failed or was lost.
///
/// Pauses double from half a second to thirty. Each is drawn from its upper half, so that those who lost the same server
/// do not all come back at the same moment. A server that lets us in and throws us out at once does not shorten them.
///
/// Pure logic: no clock. Times are nanoseconds on one clock.
public struct ReconnectSchedule: Sendable {
    public static let shortest: Int64 = 500_000_000
    public static let longest: Int64 = 30_000_000_000

    /// How often to try again before giving up; nil for ever.
    public let limit: Int?
    /// Failures since the connection was there, the loss of it included.
    public private(set) var failures = 0
    private var pause = Self.shortest
    private var connectedSince: Int64?

    public init(limit: Int? = nil) { self.limit = limit }

    public mutating func connected(at now: Int64) {
        failures = 0
        connectedSince = now
    }

    /// - Returns: when to try again; nil when that was the last time.
    public mutating func failed(at now: Int64, using generator: inout some RandomNumberGenerator) -> Int64? {
        if let connectedSince, now - connectedSince >= Self.longest { pause = Self.shortest }
        connectedSince = nil
        failures += 1
        if let limit, failures > limit { return nil }
        defer { pause = min(pause * 2, Self.longest) }
        return now + Int64.random(in: pause / 2...pause, using: &generator)
    }
}
