/// The moov of an ordinary file, made of a fragmented file's and its samples: durations, edit lists and sample tables.
/// Pure logic.
enum OrdinaryMovie {
    /// - Parameter tables: by track_ID.
    static func of(_ fragmented: Box, _ tables: [UInt32: SampleTable]) throws(MP4Flaw) -> Box {
        var moov = fragmented
        moov["mvex"] = nil
        guard let header = moov["mvhd"] else { throw MP4Flaw(what: "no mvhd") }
        let scale = try timeScale(header)
        var longest: UInt64 = 0
        for index in moov.boxes.indices where moov.boxes[index].type == "trak" {
            let duration = try fill(&moov.boxes[index], tables, scale)
            longest = max(longest, duration)
        }
        moov["mvhd"] = try header.lasting(longest, wordsBefore: 1)
        return moov
    }

    /// - Returns: how long the track is, in ticks of the movie.
    private static func fill(_ trak: inout Box, _ tables: [UInt32: SampleTable], _ movieScale: UInt32) throws(MP4Flaw) -> UInt64 {
        guard let head = trak["tkhd"], var mdia = trak["mdia"], let mdhd = mdia["mdhd"], var minf = mdia["minf"],
            let stsd = minf["stbl"]?["stsd"]
        else { throw MP4Flaw(what: "a track without its headers") }
        let table = tables[try wordAfterTimes(head)] ?? SampleTable()
        let scale = try timeScale(mdhd)
        var duration: UInt64 = 0
        let edits = try edits(trak["edts"]?["elst"], table, scale, movieScale, &duration)
        trak["edts"] = edits.map { Box("edts", boxes: [$0]) }
        trak["tkhd"] = try head.lasting(duration, wordsBefore: 2)
        mdia["mdhd"] = try mdhd.lasting(table.duration, wordsBefore: 1)
        minf["stbl"] = Box("stbl", boxes: [stsd] + table.boxes)
        mdia["minf"] = minf
        trak["mdia"] = mdia
        // An edit list belongs before the media.
        trak.boxes.sort { order($0) < order($1) }
        return duration
    }

    private static func order(_ box: Box) -> Int { ["tkhd": 0, "edts": 1, "mdia": 2][box.type] ?? 3 }

    /// Where the track begins on the movie's clock: an empty edit where it begins later, and where in its own time.
    private static func edits(
        _ old: Box?, _ table: SampleTable, _ scale: UInt32, _ movieScale: UInt32, _ duration: inout UInt64
    ) throws(MP4Flaw) -> Box? {
        guard !table.isEmpty, let start = table.start else { return nil }
        var (pause, mediaTime) = try old.map { box throws(MP4Flaw) in try read(box) } ?? (0, 0)
        // The tables begin at 0, wherever the fragments did.
        let end = table.end &- start
        mediaTime = mediaTime &- start
        if mediaTime < 0 {
            pause += ticks(UInt64(clamping: -mediaTime), scale, movieScale)
            mediaTime = 0
        }
        let length = ticks(UInt64(clamping: max(0, end &- mediaTime)), scale, movieScale)
        duration = pause + length
        var writer = OctetWriter()
        writer.word(1 << 24)
        writer.word(pause > 0 ? 2 : 1)
        for (length, time) in (pause > 0 ? [(pause, Int64(-1))] : []) + [(length, mediaTime)] {
            writer.append(length, 8)
            writer.append(UInt64(bitPattern: time), 8)
            writer.word(1 << 16)
        }
        return Box("elst", writer.octets)
    }

    /// The pause before the track, in ticks of the movie, and the media time that it begins with.
    private static func read(_ elst: Box) throws(MP4Flaw) -> (pause: UInt64, mediaTime: Int64) {
        var reader = OctetReader(elst.octets)
        let width = try reader.word() >> 24 == 1 ? 8 : 4
        var pause: UInt64 = 0
        for _ in 0..<(try reader.word()) {
            let length = try reader.number(width)
            let raw = try reader.number(width)
            try reader.skip(4)
            let time = width == 8 ? Int64(bitPattern: raw) : Int64(Int32(truncatingIfNeeded: raw))
            guard time < 0 else { return (pause, time) }
            pause = pause &+ length
        }
        return (pause, 0)
    }

    /// What follows the two times of a header: a tkhd's track_ID, the others' time scale.
    private static func wordAfterTimes(_ header: Box) throws(MP4Flaw) -> UInt32 {
        var reader = OctetReader(header.octets)
        try reader.skip(try reader.word() >> 24 == 1 ? 16 : 8)
        return try reader.word()
    }

    private static func timeScale(_ header: Box) throws(MP4Flaw) -> UInt32 {
        let scale = try wordAfterTimes(header)
        guard scale > 0 else { throw MP4Flaw(what: "a time scale of 0") }
        return scale
    }

    /// Rounded up, so that no sample is cut off.
    private static func ticks(_ ticks: UInt64, _ from: UInt32, _ to: UInt32) -> UInt64 {
        let (whole, rest) = ticks.quotientAndRemainder(dividingBy: UInt64(from))
        return whole &* UInt64(to) &+ (rest * UInt64(to) + UInt64(from) - 1) / UInt64(from)
    }
}

extension Box {
    /// A header (mvhd, tkhd, mdhd) with another duration: in 32 bits, or in 64 (version 1) where those do not do.
    /// - Parameter wordsBefore: that stand between its times and its duration.
    fileprivate func lasting(_ duration: UInt64, wordsBefore: Int) throws(MP4Flaw) -> Box {
        var reader = OctetReader(octets)
        let flags = try reader.word()
        let width = flags >> 24 == 1 ? 8 : 4
        let times = [try reader.number(width), try reader.number(width)]
        let words = try reader.take(4 * wordsBefore)
        try reader.skip(width)
        let isLong = width == 8 || duration >= UInt64(UInt32.max)
        var writer = OctetWriter()
        writer.word(flags & 0xff_ffff | (isLong ? 1 << 24 : 0))
        for time in times { writer.append(time, isLong ? 8 : 4) }
        writer.octets += words
        writer.append(duration, isLong ? 8 : 4)
        writer.octets += reader.rest()
        return Box(type, writer.octets)
    }
}
