/// Numbers that are the same in every run: SplitMix64.
public struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    public init(_ seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return Self.mix(state)
    }

    /// One number made from another.
    public static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// What a message with that seed consists of, so that a receiver can tell every byte of it.
public enum Pattern {
    public static func fill(_ bytes: UnsafeMutableRawBufferPointer, seed: UInt64) {
        var word = SeededRandom.mix(seed)
        for index in bytes.indices {
            if index % 8 == 0 { word = word &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407 }
            bytes[index] = UInt8(truncatingIfNeeded: word >> UInt64(8 * (index % 8)))
        }
    }

    public static func bytes(_ count: Int, seed: UInt64) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            fill(UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count), seed: seed)
            initialized = count
        }
    }

    public static func matches(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> Bool {
        var word = SeededRandom.mix(seed)
        for index in bytes.indices {
            if index % 8 == 0 { word = word &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407 }
            if bytes[index] != UInt8(truncatingIfNeeded: word >> UInt64(8 * (index % 8))) { return false }
        }
        return true
    }
}
