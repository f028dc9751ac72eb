import Media

/// H.264 as cameras send it: units behind start codes. See ISO/IEC 14496-10, annex B.
enum AnnexB {
    /// Whether a picture can be decoded without others (an IDR picture).
    static func hasKeyFrame(_ bytes: RawSpan) -> Bool {
        bytes.withUnsafeBytes { bytes in units(bytes).contains { bytes[$0.lowerBound] & 0x1f == 5 } }
    }

    /// The sequence and picture parameter sets ahead of a picture, with their start codes; empty unless both are there.
    static func parameterSets(_ bytes: RawSpan) -> [UInt8] {
        bytes.withUnsafeBytes { bytes in
            var found: [UInt8] = []
            var types: Set<UInt8> = []
            for unit in units(bytes) where [7, 8].contains(bytes[unit.lowerBound] & 0x1f) {
                types.insert(bytes[unit.lowerBound] & 0x1f)
                found += [0, 0, 0, 1] + bytes[unit]
            }
            return types.count == 2 ? found : []
        }
    }

    /// Where the units are, without their start codes. Ends with the first slice: what parameter sets and key frames are
    /// told by stands up to there.
    private static func units(_ bytes: UnsafeRawBufferPointer) -> [Range<Int>] {
        var starts: [Int] = []
        var position = 0
        while position + 3 < bytes.count {
            guard bytes[position] == 0, bytes[position + 1] == 0, bytes[position + 2] == 1 else {
                position += 1
                continue
            }
            starts.append(position + 3)
            if [1, 5].contains(bytes[position + 3] & 0x1f) { break }
            position += 3
        }
        return starts.indices.map { index in
            guard index + 1 < starts.count else { return starts[index]..<bytes.count }
            var end = starts[index + 1] - 3
            while end > starts[index] + 1, bytes[end - 1] == 0 { end -= 1 }
            return starts[index]..<end
        }
    }
}
