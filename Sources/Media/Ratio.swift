/// A frame rate or an aspect ratio.
public struct Ratio: Sendable, Hashable {
    public var numerator: Int32
    public var denominator: Int32

    public init(_ numerator: Int32, _ denominator: Int32) {
        self.numerator = numerator
        self.denominator = denominator
    }

    /// 0/1.
    public static var unknown: Ratio { Ratio(0, 1) }
    public var isKnown: Bool { numerator > 0 && denominator > 0 }
    /// 0 if unknown.
    public var value: Double { isKnown ? Double(numerator) / Double(denominator) : 0 }
}
