import CV4L2
import Glibc
import Media

/// A driver's buffers, mapped for reading; given back before the device is closed. A class, as mapping them may fail half-way.
///
/// A picture lies in one piece of memory, or, through the multi-planar interface, in one for each of its planes. Not for two threads
/// at once.
final class FrameBuffers {
    /// One buffer's after the other's.
    private let maps: UnsafeMutableBufferPointer<UnsafeRawBufferPointer>
    private var mapped = 0
    private(set) var count = 0
    private let pieces: Int
    private let type: UInt32
    /// What the multi-planar interface has beside each record; empty otherwise.
    private let planes: UnsafeMutableBufferPointer<v4l2_plane>
    /// What `contents` hands out.
    private let filled: UnsafeMutableBufferPointer<UnsafeRawBufferPointer>

    /// - Parameters:
    ///   - wanted: one is being read, one is waiting to be, and the driver fills the others.
    ///   - pieces: of memory for each picture.
    /// - Throws: `.refused` if somebody else uses the camera, `.outOfMemory`.
    init(_ wanted: UInt32, of device: borrowing VideoDevice, pieces: Int) throws(MediaError) {
        var request = v4l2_requestbuffers()
        request.count = wanted
        request.type = device.bufferType
        request.memory = V4L2_MEMORY_MMAP.rawValue
        let error = device.call(cv4l2_reqbufs(), &request)
        guard error == 0, request.count >= 2 else {
            throw V4L2Failure.error(error == 0 ? ENOMEM : error, .outOfMemory, device.path, "gives no memory for pictures")
        }
        self.pieces = pieces
        type = device.bufferType
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        maps = .allocate(capacity: Int(request.count) * pieces)
        maps.initialize(repeating: none)
        filled = .allocate(capacity: pieces)
        filled.initialize(repeating: none)
        planes = .allocate(capacity: device.isMultiplanar ? Int(VIDEO_MAX_PLANES) : 0)
        planes.initialize(repeating: v4l2_plane())
        var failure: CInt = 0
        for index in 0..<request.count where failure == 0 { failure = map(index, of: device) }
        guard failure == 0 else {
            let path = device.path
            giveBack(to: device)
            throw V4L2Failure.error(failure, .outOfMemory, path, "its memory cannot be mapped")
        }
    }

    /// - Returns: 0, or an errno.
    private func map(_ index: UInt32, of device: borrowing VideoDevice) -> CInt {
        var buffer = record(index)
        var failure = device.call(cv4l2_querybuf(), &buffer)
        guard failure == 0 else { return failure }
        for piece in 0..<pieces {
            let (length, offset) = planes.isEmpty ? (buffer.length, buffer.m.offset) : (planes[piece].length, planes[piece].m.mem_offset)
            guard let map = device.map(length: Int(length), offset: offset, &failure) else { return failure }
            maps[mapped] = map
            mapped += 1
        }
        count += 1
        return 0
    }

    /// Once, and last.
    func giveBack(to device: borrowing VideoDevice) {
        for map in maps[..<mapped] { device.unmap(map) }
        maps.deallocate()
        filled.deallocate()
        planes.deallocate()
    }

    /// What the driver has put into the buffer that was taken last, piece by piece: good until the next is taken. Empty where it says
    /// nothing, or nonsense.
    func contents(of buffer: v4l2_buffer) -> UnsafeBufferPointer<UnsafeRawBufferPointer> {
        for piece in 0..<pieces {
            let map = maps[Int(buffer.index) * pieces + piece]
            let (first, end) = planes.isEmpty ? (0, Int(buffer.bytesused)) : (Int(planes[piece].data_offset), Int(planes[piece].bytesused))
            filled[piece] = UnsafeRawBufferPointer(rebasing: first <= end && end <= map.count ? map[first..<end] : map[..<0])
        }
        return UnsafeBufferPointer(filled)
    }

    /// What a call that names a buffer takes.
    func record(_ index: UInt32 = 0) -> v4l2_buffer {
        var buffer = v4l2_buffer()
        buffer.index = index
        buffer.type = type
        buffer.memory = V4L2_MEMORY_MMAP.rawValue
        if !planes.isEmpty {
            planes.update(repeating: v4l2_plane())
            buffer.m.planes = planes.baseAddress
            buffer.length = UInt32(planes.count)
        }
        return buffer
    }
}
