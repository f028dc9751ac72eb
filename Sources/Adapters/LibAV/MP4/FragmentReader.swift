/// Reads movie fragments (moof) into sample tables. Pure logic.
struct FragmentReader {
    /// By track_ID.
    private(set) var tables: [UInt32: SampleTable] = [:]
    private var defaults: [UInt32: Defaults] = [:]

    private struct Defaults {
        var duration: UInt32 = 0
        var size: UInt32 = 0
        var flags: UInt32 = 0
    }

    /// - Parameter moov: of a fragmented file: it names the tracks, and their defaults (trex).
    init(_ moov: Box) throws(MP4Flaw) {
        for box in moov["mvex"]?.boxes ?? [] where box.type == "trex" {
            var reader = OctetReader(box.octets)
            try reader.skip(4)
            let track = try reader.word()
            try reader.skip(4)
            var own = Defaults()
            own.duration = try reader.word()
            own.size = try reader.word()
            own.flags = try reader.word()
            defaults[track] = own
            tables[track] = SampleTable()
        }
    }

    /// Adds the samples of a fragment, as far as they lie within its data.
    /// - Parameters:
    ///   - place: of the moof in the file.
    ///   - data: where its mdat's payload lies, as far as it is there.
    /// - Returns: where the last sample that is whole ends; samples that are cut off.
    mutating func append(_ moof: Box, at place: UInt64, data: Range<UInt64>) throws(MP4Flaw) -> (end: UInt64, lost: Int) {
        var result = (end: data.lowerBound, lost: 0)
        for traf in moof.boxes where traf.type == "traf" {
            guard let header = traf["tfhd"] else { throw MP4Flaw(what: "a track fragment without a header") }
            var reader = OctetReader(header.octets)
            let flags = try reader.word()
            let track = try reader.word()
            guard var own = defaults[track], var table = tables[track] else { throw MP4Flaw(what: "a fragment of an unknown track \(track)") }
            let base = flags & 0x1 != 0 ? try reader.number(8) : place
            if flags & 0x2 != 0 { try reader.skip(4) }
            if flags & 0x8 != 0 { own.duration = try reader.word() }
            if flags & 0x10 != 0 { own.size = try reader.word() }
            if flags & 0x20 != 0 { own.flags = try reader.word() }
            var time = try Self.time(traf["tfdt"]) ?? table.end
            var next = base
            for run in traf.boxes where run.type == "trun" {
                try Self.read(run, own, base, &next, &time) { (sample, place, isFirst) in
                    let end = place.addingReportingOverflow(UInt64(sample.size))
                    guard !end.overflow, place >= data.lowerBound, end.partialValue <= data.upperBound, result.lost == 0 else {
                        result.lost += 1
                        return
                    }
                    table.append(sample, at: place, beginsChunk: isFirst)
                    result.end = max(result.end, end.partialValue)
                }
            }
            tables[track] = table
        }
        return result
    }

    private static func time(_ box: Box?) throws(MP4Flaw) -> Int64? {
        guard let box else { return nil }
        var reader = OctetReader(box.octets)
        let version = try reader.word() >> 24
        return Int64(clamping: try reader.number(version == 1 ? 8 : 4))
    }

    private static func read(
        _ run: Box, _ defaults: Defaults, _ base: UInt64, _ next: inout UInt64, _ time: inout Int64,
        _ body: (SampleTable.Sample, UInt64, Bool) -> Void
    ) throws(MP4Flaw) {
        var reader = OctetReader(run.octets)
        let flags = try reader.word()
        let count = try reader.word()
        if flags & 0x1 != 0 { next = UInt64(clamping: Int64(clamping: base) &+ Int64(Int32(bitPattern: try reader.word()))) }
        var first: UInt32?
        if flags & 0x4 != 0 { first = try reader.word() }
        for index in 0..<count {
            // A run whose samples have nothing of their own would be as long as it likes.
            guard flags & 0xf00 != 0 || index < 1 << 20 else { throw MP4Flaw(what: "a run of \(count) samples") }
            let duration = flags & 0x100 != 0 ? try reader.word() : defaults.duration
            let size = flags & 0x200 != 0 ? try reader.word() : defaults.size
            var own = flags & 0x400 != 0 ? try reader.word() : defaults.flags
            let offset = flags & 0x800 != 0 ? Int32(bitPattern: try reader.word()) : 0
            if index == 0, let first { own = first }
            // sample_is_non_sync_sample
            let isKey = own & 0x1_0000 == 0
            body(SampleTable.Sample(time: time, duration: duration, offset: offset, size: size, isKey: isKey), next, index == 0)
            time = time &+ Int64(duration)
            next = next &+ UInt64(size)
        }
    }
}
