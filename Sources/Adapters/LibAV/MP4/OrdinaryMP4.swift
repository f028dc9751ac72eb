import Glibc
package import Media

/// Makes an ordinary MP4 file of a fragmented one, in place, without copying what is recorded.
///
/// ```
///  before   ftyp  moov(no samples)  moof mdat  moof mdat ...
///  added    ftyp  moov(no samples)  moof mdat  moof mdat ...  moov(all samples)
///  after    ftyp  mdat .......................................  moov(all samples)
/// ```
///
/// The last step writes 16 octets over the head of the first moov: it becomes an mdat that reaches to the new one. So a
/// process that is killed on the way leaves a fragmented file, which plays as before; a second moov is skipped by players.
package enum OrdinaryMP4 {
    /// What came of it.
    package struct Outcome: Sendable {
        /// It was fragmented.
        package var isConverted = false
        /// Samples of the last fragment that were cut off, and octets that went with them.
        package var lostSamples = 0
        package var lostBytes: UInt64 = 0
    }

    /// - Parameter isDurable: waits for the disk before the last step (fsync(2)), so that a power failure does no harm either.
    /// - Throws: `.unsupportedFormat` where it cannot be done; `.diskFull`, `.writeFailed`, and then it is as it was.
    package static func convert(_ path: String, isDurable: Bool = false) throws(MediaError) -> Outcome {
        let file = try MP4File(path: path, isWritable: true)
        let plan: Plan
        do throws(MP4Flaw) {
            guard let found = try Plan(file) else { return Outcome() }
            plan = found
        } catch {
            throw MediaError(.unsupportedFormat, object: path, what: "not an MP4 file that can be put in order: \(error.what)")
        }
        // A fragment that was cut off must not seem to reach into what is written behind it.
        for (place, length) in plan.shortened { try file.write(length, at: place) }
        try file.cut(at: plan.end)
        let moov = plan.moov.serialized
        do throws(MediaError) {
            try file.write(moov, at: plan.end)
        } catch {
            try? file.cut(at: plan.end)
            throw error
        }
        if isDurable, fsync(file.descriptor) != 0 { throw LocalFile.failure(errno, .writeFailed, path, "cannot be written") }
        var head = OctetWriter()
        head.word(1)
        head.octets += Array("mdat".utf8)
        head.append(plan.end - plan.moovPlace, 8)
        try file.write(head.octets, at: plan.moovPlace)
        if isDurable { _ = fsync(file.descriptor) }
        return plan.outcome
    }

    /// Everything that is going to be written, known before anything is.
    struct Plan {
        let moov: Box
        let moovPlace: UInt64
        /// Where what is whole ends.
        let end: UInt64
        /// Heads of boxes that were cut off.
        let shortened: [(place: UInt64, octets: [UInt8])]
        let outcome: Outcome

        /// - Returns: nil for a file that is not fragmented.
        init?(_ file: borrowing MP4File) throws(MP4Flaw) {
            let extents = try file.extents()
            guard let first = extents.first(where: { $0.type == "moov" && !$0.isCut }) else { throw MP4Flaw(what: "no moov in it") }
            let moov = try file.box(first)
            guard moov["mvex"] != nil, first.end - first.start >= 16 else { return nil }
            var reader = try FragmentReader(moov)
            var outcome = Outcome(isConverted: true)
            var end = first.end
            var shortened: [(place: UInt64, octets: [UInt8])] = []
            for (index, moof) in extents.enumerated() where moof.type == "moof" && !moof.isCut && moof.start > first.start {
                guard index + 1 < extents.count, extents[index + 1].type == "mdat" else { break }
                let mdat = extents[index + 1]
                let found = try reader.append(try file.box(moof), at: moof.start, data: (mdat.start + mdat.header)..<mdat.end)
                outcome.lostSamples += found.lost
                end = mdat.end
                guard mdat.isCut, mdat.header == 8 else { continue }
                end = found.end
                var length = OctetWriter()
                length.word(UInt32(clamping: end - mdat.start))
                shortened.append((mdat.start, length.octets))
            }
            guard reader.tables.values.contains(where: { !$0.isEmpty }) else { throw MP4Flaw(what: "not one sample of it is whole") }
            outcome.lostBytes = file.size - end
            self.moov = try OrdinaryMovie.of(moov, reader.tables)
            self.end = end
            self.shortened = shortened
            self.outcome = outcome
            moovPlace = first.start
        }
    }
}
