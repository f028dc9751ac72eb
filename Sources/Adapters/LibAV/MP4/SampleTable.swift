/// A number and how often it follows itself: most tables of a recording are a few of them.
struct Runs {
    private(set) var runs: [(count: UInt32, value: UInt32)] = []

    mutating func append(_ value: UInt32) {
        if let last = runs.indices.last, runs[last].value == value, runs[last].count < .max {
            runs[last].count += 1
        } else {
            runs.append((1, value))
        }
    }
}

/// The samples of a track, as a sample table (stbl) has them; filled from fragments. Pure logic.
struct SampleTable {
    private var sizes: [UInt32] = []
    private var durations = Runs()
    private var offsets = Runs()
    private var hasOffsets = false
    private var keys: [UInt32] = []
    private var chunks: [(place: UInt64, count: UInt32)] = []
    /// Ticks of the track's time scale. Of the first sample; what a table begins with is 0.
    private(set) var start: Int64?
    private var last: (time: Int64, duration: UInt32) = (0, 0)
    /// When the last picture is over, on the fragments' clock.
    private(set) var end: Int64 = 0

    var isEmpty: Bool { sizes.isEmpty }
    /// Ticks that the table spans.
    var duration: UInt64 { start.map { UInt64(clamping: last.time &- $0) + UInt64(last.duration) } ?? 0 }

    struct Sample {
        /// Decoding time and duration in ticks; what is added for showing it.
        var time: Int64
        var duration: UInt32
        var offset: Int32
        var size: UInt32
        var isKey: Bool
    }

    /// - Parameters:
    ///   - place: in the file.
    ///   - beginsChunk: it does not follow the one before in the file.
    mutating func append(_ sample: Sample, at place: UInt64, beginsChunk: Bool) {
        if start == nil {
            start = sample.time
        } else {
            // How long a sample lasts is when the next one comes, whatever it said itself.
            durations.append(UInt32(clamping: sample.time &- last.time))
        }
        last = (sample.time, sample.duration)
        end = max(end, sample.time &+ Int64(sample.offset) &+ Int64(sample.duration))
        sizes.append(sample.size)
        offsets.append(UInt32(bitPattern: sample.offset))
        if sample.offset != 0 { hasOffsets = true }
        if sample.isKey { keys.append(UInt32(sizes.count)) }
        if beginsChunk || chunks.isEmpty { chunks.append((place, 0)) }
        chunks[chunks.count - 1].count += 1
    }

    /// The boxes that stand beside the sample descriptions.
    var boxes: [Box] {
        var durations = durations
        if !isEmpty { durations.append(last.duration) }
        var boxes = [Self.box("stts", durations.runs.map { [$0.count, $0.value] })]
        // Version 1: an offset may be negative.
        if hasOffsets { boxes.append(Self.box("ctts", version: 1, offsets.runs.map { [$0.count, $0.value] })) }
        if keys.count < sizes.count { boxes.append(Self.box("stss", keys.map { [$0] })) }
        return boxes + [chunkCounts, Self.box("stsz", head: [0], sizes.map { [$0] }), chunkPlaces]
    }

    /// Runs of chunks with the same number of samples, by their first chunk.
    private var chunkCounts: Box {
        var rows: [[UInt32]] = []
        for (index, chunk) in chunks.enumerated() where rows.last?[1] != chunk.count {
            rows.append([UInt32(index + 1), chunk.count, 1])
        }
        return Self.box("stsc", rows)
    }

    private var chunkPlaces: Box {
        guard chunks.last?.place ?? 0 > UInt64(UInt32.max) else { return Self.box("stco", chunks.map { [UInt32($0.place)] }) }
        return Self.box("co64", chunks.map { [UInt32($0.place >> 32), UInt32(truncatingIfNeeded: $0.place)] })
    }

    /// A full box with a counted table.
    private static func box(_ type: String, version: UInt8 = 0, head: [UInt32] = [], _ rows: [[UInt32]]) -> Box {
        var writer = OctetWriter()
        writer.word(UInt32(version) << 24)
        for word in head { writer.word(word) }
        writer.word(UInt32(rows.count))
        for row in rows { for word in row { writer.word(word) } }
        return Box(type, writer.octets)
    }
}
