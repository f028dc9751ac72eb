import CLibV4L
import CV4L2
import Glibc
import Media

/// An open Video4Linux device, by itself or through libv4l2. See the kernel's "Video for Linux API".
struct VideoDevice: ~Copyable {
    let path: String
    let descriptor: CInt
    /// What its driver calls it.
    let card: String
    /// Where it is: `usb-0000:00:14.0-1`; the same after it was plugged in again.
    let bus: String
    /// V4L2_CAP_*, of this node.
    let capabilities: UInt32
    /// Whether libv4l2 stands between, with formats of its own beside the driver's.
    let isConverted: Bool

    /// - Throws: `.notFound`, `.permissionDenied`, `.cannotOpen`; with libv4l2 `.unsupportedFormat` if that cannot use it.
    init(_ path: String, converted: Bool = false) throws(MediaError) {
        let descriptor = cv4l2_open(path)
        guard descriptor >= 0 else { throw V4L2Failure.error(-descriptor, .cannotOpen, path, "cannot be opened") }
        var capability = v4l2_capability()
        let error = cv4l2_call(descriptor, cv4l2_querycap(), &capability)
        guard error == 0 else {
            close(descriptor)
            throw MediaError(.cannotOpen, object: path, what: "not a camera", remedy: "see ipn devices", cause: String(cString: strerror(error)))
        }
        let refusal = converted ? clibv4l_take(descriptor) : 0
        guard refusal == 0 else {
            close(descriptor)
            throw V4L2Failure.error(refusal, .unsupportedFormat, path, "libv4l2 cannot use it")
        }
        self.path = path
        self.descriptor = descriptor
        isConverted = converted
        card = Self.text(capability.card)
        bus = Self.text(capability.bus_info)
        capabilities = capability.capabilities & cv4l2_capability_of_device() != 0 ? capability.device_caps : capability.capabilities
    }

    deinit { if isConverted { v4l2_close(descriptor) } else { close(descriptor) } }

    /// Coders and scalers capture as well; through the multi-planar interface only what takes no pictures in is a camera.
    var isCamera: Bool { has(V4L2_CAP_VIDEO_CAPTURE) || isMultiplanar && !has(V4L2_CAP_VIDEO_OUTPUT_MPLANE) }
    /// Whether it has the multi-planar interface alone, in which a picture may lie in several pieces of memory.
    var isMultiplanar: Bool { has(V4L2_CAP_VIDEO_CAPTURE_MPLANE) && !has(V4L2_CAP_VIDEO_CAPTURE) }
    /// V4L2_BUF_TYPE_*, in all that is asked of its pictures.
    var bufferType: UInt32 { (isMultiplanar ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE : V4L2_BUF_TYPE_VIDEO_CAPTURE).rawValue }
    var hasStreaming: Bool { has(V4L2_CAP_STREAMING) }

    private func has(_ capability: CInt) -> Bool { capabilities & UInt32(capability) != 0 }

    /// ioctl(2), tried again after EINTR.
    /// - Returns: 0, or an errno.
    func call<Argument>(_ request: UInt, _ argument: inout Argument) -> CInt {
        withUnsafeMutableBytes(of: &argument) {
            isConverted ? clibv4l_call(descriptor, request, $0.baseAddress) : cv4l2_call(descriptor, request, $0.baseAddress)
        }
    }

    /// A buffer's memory, or a piece of it, for reading; `unmap` before the device is closed.
    /// - Returns: nil with an errno in `error`.
    func map(length: Int, offset: UInt32, _ error: inout CInt) -> UnsafeRawBufferPointer? {
        let base = isConverted ? clibv4l_map(descriptor, length, offset, &error) : cv4l2_map(descriptor, length, offset, &error)
        return base.map { UnsafeRawBufferPointer(start: $0, count: length) }
    }

    func unmap(_ memory: UnsafeRawBufferPointer) {
        let base = UnsafeMutableRawPointer(mutating: memory.baseAddress!)
        if isConverted { v4l2_munmap(base, memory.count) } else { munmap(base, memory.count) }
    }

    /// Characters of a fixed field, to the first NUL.
    static func text<Field>(_ field: Field) -> String {
        withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
