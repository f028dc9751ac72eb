public import Media

/// A camera, and what it can, for people and programs.
public struct CameraReport: Sendable, Codable {
    public struct Mode: Sendable, Codable {
        /// `YUYV`
        public let format: String
        /// Whether it can be published.
        public let isCarried: Bool
        public let sizes: [Size]
    }

    public struct Size: Sendable, Codable {
        /// `640x480`, or `48x48 to 1920x1080`
        public let size: String
        /// Pictures a second at the largest of these sizes, the highest last: `30`, or `1 to 60`.
        public let rates: [String]
    }

    /// `/dev/video0`
    public let device: String
    /// What its driver calls it.
    public let name: String
    public let bus: String
    /// Empty where it takes no pictures: an output, a node of metadata.
    public let modes: [Mode]
    public var isCamera: Bool { !modes.isEmpty }

    /// - Throws: `.permissionDenied`, `.notFound`, `.cannotOpen`.
    public init(of path: String) throws(MediaError) {
        let device = try VideoDevice(path)
        self.device = path
        name = device.card
        bus = device.bus
        modes =
            device.isCamera && device.hasStreaming
            ? device.formats().map { fourcc in
                let sizes = device.sizes(fourcc).map { range in
                    Size(
                        size: range.description,
                        rates: device.rates(fourcc, range.largest).sorted { $0.highest.value < $1.highest.value }.map(\.description))
                }
                return Mode(format: PixelFormat.text(fourcc), isCarried: PixelFormat.with(fourcc: fourcc) != nil, sizes: sizes)
            } : []
    }
}
