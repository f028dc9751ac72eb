/// The length of a tick in seconds, as a fraction.
public struct TimeBase: Sendable, Hashable {
    /// Greater than zero.
    public let numerator: Int32
    /// Greater than zero.
    public let denominator: Int32

    /// - Returns: nil unless both are greater than zero.
    public init?(_ numerator: Int32, _ denominator: Int32) {
        guard numerator > 0, denominator > 0 else { return nil }
        self.numerator = numerator
        self.denominator = denominator
    }

    private init(nanosecondsOver denominator: Int32) {
        self.numerator = 1
        self.denominator = denominator
    }

    public static var nanosecond: TimeBase { TimeBase(nanosecondsOver: 1_000_000_000) }
    public static var microsecond: TimeBase { TimeBase(nanosecondsOver: 1_000_000) }
    public static var millisecond: TimeBase { TimeBase(nanosecondsOver: 1000) }

    /// `ticks` of `from` in ticks of this time base, rounded to the nearest, halves away from zero, as
    /// av_rescale_q does. Saturates: time stamps come from strangers.
    public func ticks(_ ticks: Int64, from: TimeBase) -> Int64 {
        // 63 + 31 + 31 bits: no intermediate value overflows.
        let scaled = Int128(ticks) * Int128(from.numerator) * Int128(denominator)
        let divisor = Int128(from.denominator) * Int128(numerator)
        let half = divisor / 2
        return Int64(clamping: (scaled < 0 ? scaled - half : scaled + half) / divisor)
    }

    /// `ticks` of this time base in nanoseconds; saturates.
    public func nanoseconds(_ ticks: Int64) -> Int64 { TimeBase.nanosecond.ticks(ticks, from: self) }
}
