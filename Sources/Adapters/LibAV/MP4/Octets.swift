/// Takes big-endian numbers out of octets that came from a file: nothing is read past their end.
struct OctetReader {
    private let octets: ArraySlice<UInt8>
    /// From the beginning of what was given.
    private(set) var position = 0

    init(_ octets: ArraySlice<UInt8>) { self.octets = octets }
    init(_ octets: [UInt8]) { self.octets = octets[...] }

    /// - Parameter count: octets, at most 8.
    mutating func number(_ count: Int) throws(MP4Flaw) -> UInt64 {
        guard octets.count - position >= count else { throw MP4Flaw(what: "a box is too short for what it has to say") }
        var value: UInt64 = 0
        for offset in 0..<count { value = value << 8 | UInt64(octets[octets.startIndex + position + offset]) }
        position += count
        return value
    }

    mutating func word() throws(MP4Flaw) -> UInt32 { UInt32(try number(4)) }

    /// The next octets, for as many as there are.
    mutating func take(_ count: Int) throws(MP4Flaw) -> ArraySlice<UInt8> {
        guard count >= 0, octets.count - position >= count else { throw MP4Flaw(what: "a box is too short for what it has to say") }
        let start = octets.startIndex + position
        position += count
        return octets[start..<(start + count)]
    }

    mutating func skip(_ count: Int) throws(MP4Flaw) { _ = try take(count) }

    /// Everything that is left.
    mutating func rest() -> ArraySlice<UInt8> {
        let start = octets.startIndex + position
        position = octets.count
        return octets[start...]
    }

    mutating func type() throws(MP4Flaw) -> String { String(decoding: try take(4), as: UTF8.self) }
}

/// Puts big-endian numbers together.
struct OctetWriter {
    var octets: [UInt8] = []

    /// - Parameter count: octets, at most 8; what does not fit in them is cut off.
    mutating func append(_ value: UInt64, _ count: Int) {
        for shift in stride(from: (count - 1) * 8, through: 0, by: -8) { octets.append(UInt8(truncatingIfNeeded: value >> UInt64(shift))) }
    }

    mutating func word(_ value: UInt32) { append(UInt64(value), 4) }
}
