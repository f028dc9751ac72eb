import Glibc
public import Media

/// Makes a file that is whole out of one that is not.
public enum Repair {
    /// Puts a fragmented MP4 file in order where it is, and copies the packets of any other into a new file, which takes the
    /// old one's place in one step.
    /// - Parameter output: where to; nil: in its place.
    /// - Returns: packets that could not be kept.
    /// - Throws: `.unsupportedFormat` where nothing can be read any more; `.alreadyExists`, `.diskFull`, … The file is as it
    ///   was then.
    public static func run(_ path: String, to output: String? = nil, stop: StopFlag = StopFlag()) throws(MediaError) -> Int {
        if output == nil, let outcome = try? OrdinaryMP4.convert(path, isDurable: true), outcome.isConverted { return outcome.lostSamples }
        guard let output else {
            // The extension says the container.
            let slash = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
            let beside = "\(path[..<slash]).repair-\(getpid())-\(path[slash...])"
            do throws(MediaError) {
                let lost = try copy(path, beside, stop)
                try replace(path, by: beside)
                return lost
            } catch {
                LocalFile.remove(beside)
                throw error
            }
        }
        let isNew = !LocalFile.exists(output)
        do throws(MediaError) {
            return try copy(path, output, stop)
        } catch {
            if isNew { LocalFile.remove(output) }
            throw error
        }
    }

    private static func copy(_ path: String, _ output: String, _ stop: StopFlag) throws(MediaError) -> Int {
        var demuxer = try Demuxer(url: path, stop: stop)
        var muxer = try Muxer(url: output, streams: demuxer.streams, fragment: 1_000_000_000, stop: stop)
        var lost = 0
        // A picture that is missing breaks those that follow it, up to the next key frame.
        var awaitsKey = Set(demuxer.streams.filter(\.isVideo).map(\.index))
        while let packet = try nextReadable(&demuxer) {
            if packet.isCorrupt {
                if demuxer.streams[packet.stream].isVideo { awaitsKey.insert(packet.stream) }
            } else if packet.isKey {
                awaitsKey.remove(packet.stream)
            }
            guard !packet.isCorrupt, !awaitsKey.contains(packet.stream) else {
                lost += 1
                continue
            }
            try demuxer.withBytes { bytes throws(MediaError) in try muxer.write(packet, bytes) }
        }
        guard muxer.packetCount > 0 else { throw MediaError(.unsupportedFormat, object: path, what: "nothing in it can be kept") }
        try muxer.finish()
        return lost
    }

    /// Where a file cannot be read on, it ends.
    private static func nextReadable(_ demuxer: inout Demuxer) throws(MediaError) -> CodedPacket? {
        do throws(MediaError) {
            return try demuxer.next()
        } catch {
            guard error.code != .cancelled else { throw error }
            return nil
        }
    }

    /// With the old one's mode, and only once it is on the disk.
    private static func replace(_ path: String, by beside: String) throws(MediaError) {
        let descriptor = open(beside, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw LocalFile.failure(errno, .cannotOpen, beside, "cannot be opened") }
        defer { close(descriptor) }
        var status = stat()
        if stat(path, &status) == 0 { fchmod(descriptor, status.st_mode & 0o7777) }
        guard fsync(descriptor) == 0, rename(beside, path) == 0 else {
            throw LocalFile.failure(errno, .writeFailed, path, "cannot be replaced")
        }
    }
}
