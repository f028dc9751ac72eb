import CV4L2
import Glibc
import Media

/// A camera opened, set and given memory: from open(2) to close(2). After it was unplugged its node's number is taken until this
/// has gone.
final class CameraSession {
    let device: VideoDevice
    let mode: CameraMode
    let buffers: FrameBuffers
    private(set) var isStreaming = false

    /// - Throws: `.notFound`, `.permissionDenied`, `.refused` (in use), `.unsupportedFormat`, `.invalidOption`.
    init(_ settings: CameraSettings) throws(MediaError) {
        let device = try Self.device(settings)
        try device.set(settings.controls)
        let mode = try CameraMode(settings, on: device)
        buffers = try FrameBuffers(4, of: device, pieces: mode.format.pieces)
        self.device = device
        self.mode = mode
    }

    deinit { buffers.giveBack(to: device) }

    /// The camera by itself, unless a format is asked for that only libv4l2 can make of its pictures.
    private static func device(_ settings: CameraSettings) throws(MediaError) -> VideoDevice {
        let device = try VideoDevice(settings.device)
        guard device.isCamera, device.hasStreaming else {
            let what = device.isCamera ? "a camera without streaming, which is not supported" : "takes no pictures: it is something else"
            throw MediaError(.unsupportedFormat, object: settings.device, what: "\(device.card): \(what)", remedy: "see ipn devices")
        }
        guard let word = settings.format, word.lowercased() != "best", !device.hasFormat(called: word) else { return device }
        // Its plugin for the multi-planar interface writes lines of its own.
        guard !device.isMultiplanar else { return device }
        guard let converted = try? VideoDevice(settings.device, converted: true), converted.hasFormat(called: word) else { return device }
        return converted
    }

    /// Does nothing where it has begun.
    func start() throws(MediaError) {
        guard !isStreaming else { return }
        for index in 0..<UInt32(buffers.count) { try give(index) }
        let error = switchStream(cv4l2_streamon())
        guard error == 0 else { throw V4L2Failure.error(error, .readFailed, device.path, "cannot be started") }
        isStreaming = true
    }

    /// Takes all buffers back, also those that were given before a start that failed.
    func stop() {
        isStreaming = false
        // Fails where the camera is gone, which the next picture will tell.
        _ = switchStream(cv4l2_streamoff())
    }

    private func switchStream(_ request: UInt) -> CInt {
        var type = CInt(device.bufferType)
        return device.call(request, &type)
    }

    /// Gives a buffer to the driver.
    func give(_ index: UInt32) throws(MediaError) {
        var buffer = buffers.record(index)
        let error = device.call(cv4l2_qbuf(), &buffer)
        guard error == 0 else { throw failure(error) }
    }

    /// Takes a filled buffer.
    /// - Returns: nil if none is filled yet.
    func take() throws(MediaError) -> v4l2_buffer? {
        var buffer = buffers.record()
        let error = device.call(cv4l2_dqbuf(), &buffer)
        if error == EAGAIN { return nil }
        guard error == 0 else { throw failure(error) }
        guard buffer.index < buffers.count else { throw failure(EIO) }
        return buffer
    }

    /// EINVAL, or EIO, is also what drivers say while they are being removed: then there is no format any more.
    private func failure(_ error: CInt) -> MediaError {
        let isGone = error == ENODEV || (try? device.currentFormat()) == nil
        return V4L2Failure.error(isGone ? ENODEV : error, .readFailed, device.path, "no picture can be read")
    }
}
