import CIPN

/// Memory that a pool had use for, and has no more.
///
/// Slots are lent last freed first, so what lies at the bottom of a class's stack has not been needed for long. How deep it was
/// needed is looked at whenever slots are taken back, when fewest are free; what was never reached between two looks is surplus.
extension PoolWriter {
    /// Messages between two looks.
    static var trimInterval: UInt64 { 4096 }

    /// Whether it is time to look for surplus.
    @inlinable @inline(__always)
    public var wantsTrim: Bool { next >= nextTrim }

    /// The last look found more than was given back.
    public var owesTrim: Bool { nextTrim &- next <= Self.trimInterval / 16 }

    /// It is time, though few messages were sent: with a picture a second so many take an hour.
    public mutating func hastenTrim() { nextTrim = next }

    /// Notes how many slots are free now. For `retire`, before it frees any.
    mutating func noteLowWater() {
        for sizeClass in 0..<view.layout.classCount { lowWater[sizeClass] = min(lowWater[sizeClass], freeCount[sizeClass]) }
    }

    /// Gives up the memory of slots that were not needed since the last time, some at a time.
    ///
    /// - Parameter discard: gives a range of the pool back to the system.
    public mutating func trim(_ discard: (Range<Int>) -> Void) {
        var left = 64
        for sizeClass in 0..<view.layout.classCount {
            defer { lowWater[sizeClass] = freeCount[sizeClass] }
            let stride = view.layout.stride(sizeClass)
            // Smaller slots share their pages.
            guard stride >= Int(IPN_PAGE) else { continue }
            let first = sizeClass * view.layout.slotsPerClass
            // From the bottom, where the longest unused are; what was not reached is as it was.
            var place = min(dry[sizeClass], lowWater[sizeClass])
            while place < lowWater[sizeClass], left > 0 {
                let slot = SlotNumber(sizeClass: sizeClass, index: Int(free[first + place]))
                place += 1
                guard committed[first + slot.index] > 0 else { continue }
                let start = view.payloadOffset(slot)
                discard(start..<start + stride)
                committed[first + slot.index] = 0
                left -= 1
            }
            dry[sizeClass] = place
        }
        // Whoever has more to give back comes again sooner.
        nextTrim = next &+ (left == 0 ? Self.trimInterval / 16 : Self.trimInterval)
    }
}
