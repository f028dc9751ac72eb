import CV4L2
import Glibc
import Media

/// What a camera was set to.
struct CameraMode {
    let format: PixelFormat
    let pix: v4l2_pix_format
    /// Octets from a row to the next, in each piece of memory that a picture lies in.
    let strides: [Int]
    /// Unknown where the driver does not say.
    let rate: Ratio

    var size: PictureSize { PictureSize(width: pix.width, height: pix.height) }

    /// Chooses, sets, and looks what became of it.
    /// - Throws: `.unsupportedFormat`, saying what the camera can; `.refused` if somebody else uses it.
    init(_ settings: CameraSettings, on device: borrowing VideoDevice) throws(MediaError) {
        let current = try device.currentFormat()
        let format = try Self.chosenFormat(settings, on: device)
        let size = try Self.chosenSize(settings, format, current, on: device)
        let rate = try Self.chosenRate(settings, format, size, on: device)

        var request = cv4l2_wish(device.bufferType, format.fourcc, size.width, size.height)
        let error = device.call(cv4l2_s_fmt(), &request)
        guard error == 0 else { throw V4L2Failure.error(error, .unsupportedFormat, device.path, "\(format.text) \(size) is refused") }
        let pix = cv4l2_pix(&request)
        let strides = (0..<min(cv4l2_pieces(&request), UInt32(VIDEO_MAX_PLANES))).map { Int(cv4l2_stride(&request, $0)) }
        guard pix.pixelformat == format.fourcc, pix.width == size.width, pix.height == size.height else {
            let given = "\(PixelFormat.text(pix.pixelformat)) \(PictureSize(width: pix.width, height: pix.height))"
            throw MediaError(.unsupportedFormat, object: device.path, what: "gives \(given), not \(format.text) \(size)", remedy: "ask for that")
        }
        guard ![V4L2_FIELD_ALTERNATE, V4L2_FIELD_SEQ_TB, V4L2_FIELD_SEQ_BT].contains(where: { $0.rawValue == pix.field }) else {
            throw MediaError(.unsupportedFormat, object: device.path, what: "gives single fields, which are not carried")
        }
        guard strides.count == format.pieces else {
            throw MediaError(
                .unsupportedFormat, object: device.path, what: "gives \(format.text) in \(strides.count) pieces of memory, not \(format.pieces)")
        }
        self.format = format
        self.pix = pix
        self.strides = strides
        self.rate = try Self.set(rate, isAsked: settings.rate != nil, on: device)
    }

    /// Those of ours that have all that was asked, the best first.
    private static func chosenFormat(_ settings: CameraSettings, on device: borrowing VideoDevice) throws(MediaError) -> PixelFormat {
        let offered = device.formats()
        let known = PixelFormat.all.filter { offered.contains($0.fourcc) }
        guard !known.isEmpty else {
            let list = offered.map(PixelFormat.text).joined(separator: ", ")
            throw MediaError(.unsupportedFormat, object: device.path, what: list.isEmpty ? "offers no format" : "offers only \(list)")
        }
        var candidates = known
        if let word = settings.format, word.lowercased() != "best" {
            candidates = known.filter { $0.isCalled(word) }
            guard !candidates.isEmpty else {
                throw MediaError(
                    .unsupportedFormat, object: device.path, what: "no \(word)", remedy: "it has " + known.map(\.text).joined(separator: ", "))
            }
        }
        // Where nothing has all of it, the first says below what it can.
        return candidates.first { format in
            guard let size = settings.size else { return true }
            let sizes = device.sizes(format.fourcc)
            guard sizes.isEmpty || sizes.contains(where: { $0.contains(size) }) else { return false }
            guard let rate = settings.rate else { return true }
            let rates = device.rates(format.fourcc, size)
            return rates.isEmpty || rates.contains { $0.contains(rate) }
        } ?? candidates[0]
    }

    private static func chosenSize(
        _ settings: CameraSettings, _ format: PixelFormat, _ current: v4l2_pix_format, on device: borrowing VideoDevice
    ) throws(MediaError) -> PictureSize {
        let sizes = device.sizes(format.fourcc)
        let current = PictureSize(width: current.width, height: current.height)
        guard let size = settings.size else {
            // What it stands at, unless this format has no such size.
            return sizes.isEmpty || sizes.contains { $0.contains(current) } ? current : sizes[0].largest
        }
        guard sizes.isEmpty || sizes.contains(where: { $0.contains(size) }) else {
            let list = sizes.map(\.description).joined(separator: ", ")
            throw MediaError(.unsupportedFormat, object: device.path, what: "no \(size) in \(format.text)", remedy: "it has \(list)")
        }
        return size
    }

    /// As asked; otherwise the highest up to 30, which is what people expect of a camera.
    private static func chosenRate(
        _ settings: CameraSettings, _ format: PixelFormat, _ size: PictureSize, on device: borrowing VideoDevice
    ) throws(MediaError) -> Ratio? {
        let rates = device.rates(format.fourcc, size)
        guard let rate = settings.rate else {
            let usual = Ratio(30, 1)
            if rates.contains(where: { $0.contains(usual) }) { return usual }
            return rates.map(\.highest).filter { $0.value <= 30 }.max { $0.value < $1.value } ?? rates.first?.lowest
        }
        guard rates.isEmpty || rates.contains(where: { $0.contains(rate) }) else {
            let list = rates.map(\.description).joined(separator: ", ")
            throw MediaError(
                .unsupportedFormat, object: device.path, what: "no \(rate.rateText) pictures/s at \(size) in \(format.text)",
                remedy: "it has \(list)")
        }
        return rates.first { $0.lowest == $0.highest && $0.contains(rate) }?.lowest ?? rate
    }

    /// - Returns: what the driver made of it.
    private static func set(_ rate: Ratio?, isAsked: Bool, on device: borrowing VideoDevice) throws(MediaError) -> Ratio {
        var request = v4l2_streamparm()
        request.type = device.bufferType
        guard device.call(cv4l2_g_parm(), &request) == 0 else { return .unknown }
        if let rate, request.parm.capture.capability & UInt32(V4L2_CAP_TIMEPERFRAME) != 0 {
            request.parm.capture.timeperframe = v4l2_fract(numerator: UInt32(rate.denominator), denominator: UInt32(rate.numerator))
            let error = device.call(cv4l2_s_parm(), &request)
            guard error == 0 else { throw V4L2Failure.error(error, .unsupportedFormat, device.path, "\(rate.rateText) pictures/s are refused") }
        }
        let given = Ratio(interval: request.parm.capture.timeperframe)
        if let rate, isAsked, given.isKnown, abs(given.value - rate.value) > rate.value * 0.01 {
            throw MediaError(
                .unsupportedFormat, object: device.path, what: "gives \(given.rateText) pictures/s, not \(rate.rateText)", remedy: "ask for that")
        }
        return given.isKnown ? given : .unknown
    }
}
