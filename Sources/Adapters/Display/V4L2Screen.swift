import CLibAV
import CV4L2
import Glibc
import LibAVBase
import Media

/// A Video4Linux output, above all one of v4l2loopback's: programs that know only cameras see there what is played.
///
/// Each picture is one write(2). The device keeps the size that it began with, as do those who read it: pictures of another are
/// scaled. See the kernel's "Video for Linux API", "Video Output Interface".
final class V4L2Screen: Screen {
    let shortestInterval: Int64 = 0
    private let path: String
    private let descriptor: CInt
    private let format: V4L2OutputFormat
    private let pix: v4l2_pix_format
    private var scaler: Scaler
    /// A picture as the device has it, with the rows that it pads.
    private let picture: UnsafeMutableRawBufferPointer
    private let keyboard = Keyboard()
    /// Pictures that the device had no room for.
    private var refusedCount: UInt64 = 0

    /// - Parameter wanted: nil for the stream's own, or else the first that the device takes.
    /// - Throws: `.notFound`, `.permissionDenied`, `.refused` (in use), `.unsupportedFormat`, saying what it takes.
    convenience init(_ path: String, _ wanted: V4L2OutputFormat?, _ video: StreamDescription.Video) throws(MediaError) {
        let descriptor = cv4l2_open(path)
        guard descriptor >= 0 else { throw Self.failure(-descriptor, path, "cannot be opened") }
        do throws(MediaError) {
            try self.init(descriptor, path, wanted, video)
        } catch {
            Glibc.close(descriptor)
            throw error
        }
    }

    /// - Parameter descriptor: ours, once this has succeeded.
    private init(_ descriptor: CInt, _ path: String, _ wanted: V4L2OutputFormat?, _ video: StreamDescription.Video) throws(MediaError) {
        try Self.expectOutput(descriptor, path)
        let own = V4L2OutputFormat.allCases.filter { $0.name == video.pixelFormat }
        let candidates = wanted.map { [$0] } ?? own + V4L2OutputFormat.allCases.filter { !own.contains($0) }
        (format, pix) = try Self.set(descriptor, path, candidates, video)
        Self.begin(descriptor)
        scaler = try Scaler(to: format.libav)
        self.path = path
        self.descriptor = descriptor
        // Not all of `sizeimage`, which v4l2loopback rounds up to pages: those who read it count, and drop what is too long.
        picture = .allocate(byteCount: format.extent(stride: Int(pix.bytesperline), height: Int(pix.height)), alignment: 64)
        picture.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit {
        picture.deallocate()
        Glibc.close(descriptor)
    }

    /// A loopback with exclusive_caps says that it takes pictures no more once it has them, and only of whoever has begun to stream it knows
    /// that they have gone; write(2) alone left it without any use for ever. Its buffers are no way to give it pictures: it hands out
    /// the one that it shows. Other drivers stream nothing without buffers, and say so.
    private static func begin(_ descriptor: CInt) {
        var type = CInt(V4L2_BUF_TYPE_VIDEO_OUTPUT.rawValue)
        _ = cv4l2_call(descriptor, cv4l2_streamon(), &type)
    }

    private static func expectOutput(_ descriptor: CInt, _ path: String) throws(MediaError) {
        var capability = v4l2_capability()
        guard cv4l2_call(descriptor, cv4l2_querycap(), &capability) == 0 else {
            throw MediaError(.unsupportedFormat, object: path, what: "no video device", remedy: "load v4l2loopback, and name its /dev/video")
        }
        let isOfNode = capability.capabilities & cv4l2_capability_of_device() != 0
        let capabilities = isOfNode ? capability.device_caps : capability.capabilities
        guard capabilities & UInt32(V4L2_CAP_VIDEO_OUTPUT) != 0 else {
            let isCamera = capabilities & UInt32(V4L2_CAP_VIDEO_CAPTURE) != 0
            throw MediaError(
                .unsupportedFormat, object: path,
                what: isCamera
                    ? "takes no pictures: a camera, or a loopback that another program feeds"
                    : "takes no pictures any more: a loopback that its last program has not freed",
                remedy: isCamera ? "load v4l2loopback, and name its /dev/video" : "load v4l2loopback anew")
        }
        guard capabilities & UInt32(V4L2_CAP_READWRITE) != 0 else {
            throw MediaError(.unsupportedFormat, object: path, what: "takes pictures only by streaming, which is not supported")
        }
    }

    /// The first that it takes in the stream's size.
    private static func set(
        _ descriptor: CInt, _ path: String, _ candidates: [V4L2OutputFormat], _ video: StreamDescription.Video
    ) throws(MediaError) -> (V4L2OutputFormat, v4l2_pix_format) {
        let (width, height) = (UInt32(clamping: video.width), UInt32(clamping: video.height))
        for candidate in candidates {
            var request = v4l2_format()
            request.type = V4L2_BUF_TYPE_VIDEO_OUTPUT.rawValue
            request.fmt.pix.pixelformat = candidate.fourcc
            request.fmt.pix.width = width
            request.fmt.pix.height = height
            request.fmt.pix.field = V4L2_FIELD_NONE.rawValue
            // What it is scaled and converted from is told to the scaler; what comes out is of narrow range.
            let isHD = video.colorSpace == 1 || (video.colorSpace == 2 && height >= 720)
            request.fmt.pix.colorspace = (isHD ? V4L2_COLORSPACE_REC709 : V4L2_COLORSPACE_SMPTE170M).rawValue
            let error = cv4l2_call(descriptor, cv4l2_s_fmt(), &request)
            // Another that feeds it has settled its format.
            guard error == 0 || error == EINVAL else { throw failure(error, path, "\(candidate) \(width)x\(height) is refused") }
            let pix = request.fmt.pix
            guard error == 0, pix.pixelformat == candidate.fourcc, pix.width == width, pix.height == height else { continue }
            guard pix.sizeimage >= candidate.extent(stride: Int(pix.bytesperline), height: Int(height)), pix.sizeimage <= 1 << 30 else { continue }
            setRate(descriptor, video.frameRate)
            return (candidate, pix)
        }
        let words = candidates.map(\.rawValue).joined(separator: ", ")
        throw MediaError(
            .unsupportedFormat, object: path, what: "does not take \(words) of \(width)x\(height)", remedy: "it has \(taken(descriptor))")
    }

    /// Those who read it may ask how fast pictures come; nothing depends on the answer.
    private static func setRate(_ descriptor: CInt, _ rate: Ratio) {
        guard rate.isKnown, rate.numerator > 0, rate.denominator > 0 else { return }
        var request = v4l2_streamparm()
        request.type = V4L2_BUF_TYPE_VIDEO_OUTPUT.rawValue
        request.parm.output.timeperframe = v4l2_fract(numerator: UInt32(rate.denominator), denominator: UInt32(rate.numerator))
        _ = cv4l2_call(descriptor, cv4l2_s_parm(), &request)
    }

    /// `YUYV, NV12 at 640x360`
    private static func taken(_ descriptor: CInt) -> String {
        var found: [String] = []
        var entry = v4l2_fmtdesc()
        entry.type = V4L2_BUF_TYPE_VIDEO_OUTPUT.rawValue
        while found.count < 64, cv4l2_call(descriptor, cv4l2_enum_fmt(), &entry) == 0 {
            found.append(withUnsafeBytes(of: entry.pixelformat.littleEndian) { String(decoding: $0.map { $0 & 0x7f }, as: UTF8.self) })
            entry.index += 1
        }
        var current = v4l2_format()
        current.type = V4L2_BUF_TYPE_VIDEO_OUTPUT.rawValue
        let isSet = cv4l2_call(descriptor, cv4l2_g_fmt(), &current) == 0
        let list = found.isEmpty ? "other formats" : found.joined(separator: ", ")
        return isSet ? "\(list), and stands at \(current.fmt.pix.width)x\(current.fmt.pix.height)" : list
    }

    private static func failure(_ error: CInt, _ path: String, _ what: String) -> MediaError {
        switch error {
        case ENOENT: MediaError(.notFound, object: path, what: "no such device", remedy: "load v4l2loopback, and name its /dev/video")
        case ENODEV, ENXIO: MediaError(.notFound, object: path, what: "the device is gone")
        case EACCES, EPERM:
            MediaError(.permissionDenied, object: path, what: "no right to use it", remedy: "join the group video, or ask who owns it")
        case EBUSY: MediaError(.refused, object: path, what: "another program uses it", remedy: "end that (fuser -v \(path))")
        default: MediaError(.writeFailed, object: path, what: what, cause: String(cString: strerror(error)))
        }
    }

    func show(_ source: UnsafeMutablePointer<AVFrame>, aspect: Double) throws(MediaError) {
        let (width, height) = (Int32(pix.width), Int32(pix.height))
        let isReady =
            source.pointee.format == format.libav.rawValue && source.pointee.width == width && source.pointee.height == height
            && source.pointee.color_range != AVCOL_RANGE_JPEG
        guard let frame = isReady ? source : scaler.scale(source, width: width, height: height) else { return }
        copy(frame)
        while write(descriptor, picture.baseAddress, picture.count) < 0 {
            switch errno {
            case EINTR: continue
            // Those who read it are slower, and the player waits for nobody.
            case EAGAIN: return refusedCount += 1
            default: throw Self.failure(errno, path, "no picture can be written")
            }
        }
    }

    private func copy(_ frame: UnsafeMutablePointer<AVFrame>) {
        let data = [frame.pointee.data.0, frame.pointee.data.1, frame.pointee.data.2]
        let strides = [frame.pointee.linesize.0, frame.pointee.linesize.1, frame.pointee.linesize.2]
        var offset = 0
        for (index, plane) in format.planes.enumerated() {
            let stride = Int(pix.bytesperline) / plane.part
            let (row, rows) = (plane.row(width: Int(pix.width)), plane.rowCount(height: Int(pix.height)))
            let to = picture.baseAddress?.advanced(by: offset).assumingMemoryBound(to: UInt8.self)
            av_image_copy_plane(to, Int32(stride), data[index], strides[index], Int32(min(row, stride)), Int32(rows))
            offset += stride * rows
        }
    }

    func keys() -> [PlayerKey] { keyboard?.keys() ?? [] }
    func toggleFullScreen() {}
    func say(_ line: String) -> Bool { false }

    func close(summary: String) {
        print(summary + (refusedCount > 0 ? ", \(refusedCount) that \(path) had no room for" : ""))
        fflush(nil)
    }
}
