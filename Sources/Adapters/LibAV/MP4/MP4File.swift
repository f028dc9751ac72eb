import Glibc
import Media

/// The outermost boxes of an MP4 file on the disk.
struct MP4File: ~Copyable {
    let path: String
    let descriptor: CInt

    /// Where a box lies.
    struct Extent {
        let type: String
        let start: UInt64
        let header: UInt64
        /// As the file has it; where the box says more, it was cut off.
        let end: UInt64
        let isCut: Bool
    }

    /// - Throws: `.notFound`, `.permissionDenied`, `.cannotOpen`.
    init(path: String, isWritable: Bool) throws(MediaError) {
        let descriptor = open(path, (isWritable ? O_RDWR : O_RDONLY) | O_CLOEXEC)
        guard descriptor >= 0 else { throw LocalFile.failure(errno, .cannotOpen, path, "cannot be opened") }
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    var size: UInt64 {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? UInt64(status.st_size) : 0
    }

    /// All of them, in order. Reads 16 octets of each.
    func extents() throws(MP4Flaw) -> [Extent] {
        let size = size
        var extents: [Extent] = []
        var place: UInt64 = 0
        while place < size {
            guard size - place >= 8 else {
                extents.append(Extent(type: "", start: place, header: size - place, end: size, isCut: true))
                break
            }
            var reader = OctetReader(try read(place..<min(place + 16, size)))
            var length = try reader.number(4)
            let type = try reader.type()
            var header: UInt64 = 8
            if length == 1, size - place >= 16 {
                header = 16
                length = try reader.number(8)
            }
            if length == 0 { length = size - place }
            guard length >= header, extents.count < 1 << 22 else { throw MP4Flaw(what: "no box at \(place)") }
            let end = length > size - place ? size : place + length
            extents.append(Extent(type: type, start: place, header: header, end: end, isCut: length > size - place))
            place = end
        }
        return extents
    }

    /// Octets of the file; at most 256 MiB, as no index is larger.
    func read(_ range: Range<UInt64>) throws(MP4Flaw) -> [UInt8] {
        guard range.count <= 1 << 28 else { throw MP4Flaw(what: "a box of \(range.count) bytes where an index is expected") }
        var octets = [UInt8](repeating: 0, count: range.count)
        var done = 0
        while done < octets.count {
            let count = octets[done...].withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(range.lowerBound) + off_t(done)) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw MP4Flaw(what: "cannot be read at \(range.lowerBound)") }
            done += count
        }
        return octets
    }

    /// A box and what is in it.
    func box(_ extent: Extent) throws(MP4Flaw) -> Box {
        guard let box = try Box.parse(read(extent.start..<extent.end)[...]).first else { throw MP4Flaw(what: "an empty box") }
        return box
    }

    /// - Throws: `.diskFull`, `.writeFailed`.
    func write(_ octets: [UInt8], at place: UInt64) throws(MediaError) {
        var done = 0
        while done < octets.count {
            let count = octets[done...].withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(place) + off_t(done)) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw LocalFile.failure(errno, .writeFailed, path, "cannot be written") }
            done += count
        }
    }

    /// - Throws: `.writeFailed`.
    func cut(at place: UInt64) throws(MediaError) {
        guard ftruncate(descriptor, off_t(place)) == 0 else { throw LocalFile.failure(errno, .writeFailed, path, "cannot be shortened") }
    }
}
