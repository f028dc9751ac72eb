import CV4L2
import Glibc
import Media

/// A driver's buffers, mapped for reading; given back before the device is closed. A class, as mapping them may fail half-way.
final class FrameBuffers {
    private let maps: UnsafeMutableBufferPointer<UnsafeRawBufferPointer>
    private(set) var count = 0

    /// - Parameter wanted: one is being read, one is waiting to be, and the driver fills the others.
    /// - Throws: `.refused` if somebody else uses the camera, `.outOfMemory`.
    init(_ wanted: UInt32, of device: borrowing VideoDevice) throws(MediaError) {
        var request = v4l2_requestbuffers()
        request.count = wanted
        request.type = V4L2_BUF_TYPE_VIDEO_CAPTURE.rawValue
        request.memory = V4L2_MEMORY_MMAP.rawValue
        let error = device.call(cv4l2_reqbufs(), &request)
        guard error == 0, request.count >= 2 else {
            throw V4L2Failure.error(error == 0 ? ENOMEM : error, .outOfMemory, device.path, "gives no memory for pictures")
        }
        maps = .allocate(capacity: Int(request.count))
        maps.initialize(repeating: UnsafeRawBufferPointer(start: nil, count: 0))
        var failure: CInt = 0
        for index in 0..<request.count {
            var buffer = Self.record(index)
            failure = device.call(cv4l2_querybuf(), &buffer)
            guard failure == 0, let map = device.map(buffer, &failure) else { break }
            maps[count] = map
            count += 1
        }
        guard failure == 0 else {
            let path = device.path
            giveBack(to: device)
            throw V4L2Failure.error(failure, .outOfMemory, path, "its memory cannot be mapped")
        }
    }

    /// Once, and last.
    func giveBack(to device: borrowing VideoDevice) {
        for map in maps[..<count] { device.unmap(map) }
        maps.deallocate()
    }

    subscript(index: UInt32) -> UnsafeRawBufferPointer { maps[Int(index)] }

    static func record(_ index: UInt32 = 0) -> v4l2_buffer {
        var buffer = v4l2_buffer()
        buffer.index = index
        buffer.type = V4L2_BUF_TYPE_VIDEO_CAPTURE.rawValue
        buffer.memory = V4L2_MEMORY_MMAP.rawValue
        return buffer
    }
}
