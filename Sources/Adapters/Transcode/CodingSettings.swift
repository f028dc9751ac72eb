/// How a stream is to be coded anew.
public struct Coding: Sendable, Hashable {
    /// The encoder's name (`libx264`), or the codec's (`h264`).
    public var encoder: String
    /// bit/s; nil for what such pictures or such sound usually want.
    public var bitRate: Int64?

    public init(encoder: String, bitRate: Int64? = nil) {
        self.encoder = encoder
        self.bitRate = bitRate
    }

    /// `libx264`, `libx264:2M`, `libopus:96k`; k and M are powers of 1000, as they are for bits a second.
    public init?(text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first, !name.isEmpty else { return nil }
        guard parts.count == 2 else {
            self.init(encoder: String(name))
            return
        }
        let units: [Character: Int64] = ["k": 1000, "K": 1000, "M": 1_000_000]
        let factor = parts[1].last.flatMap { units[$0] } ?? 1
        let digits = factor == 1 ? parts[1] : parts[1].dropLast()
        guard let number = Double(digits), number > 0, number * Double(factor) <= 1e9 else { return nil }
        self.init(encoder: String(name), bitRate: Int64(number * Double(factor)))
    }
}

/// What becomes of a publication's streams: those of which nothing is said go on as they are.
public struct CodingSettings: Sendable, Hashable {
    public var video: Coding?
    public var audio: Coding?
    /// Whether a codec's headers go into the description, for containers that keep them there, or into its packets.
    public var keepsHeadersAside = true
    /// Of coded pictures, in pixels; nil for the source's own.
    public var size: PictureSize?

    public init() {}

    public var isCopy: Bool { video == nil && audio == nil }
}

/// Pixels.
public struct PictureSize: Sendable, Hashable {
    public let width: Int32
    public let height: Int32

    /// `1280x720`; even numbers, as colours are coded for two pixels at a time.
    public init?(text: String) {
        let parts = text.split(separator: "x", omittingEmptySubsequences: false).compactMap { Int32($0) }
        guard parts.count == 2, parts.allSatisfy({ (16...8192).contains($0) && $0 % 2 == 0 }) else { return nil }
        (width, height) = (parts[0], parts[1])
    }

    init(width: Int32, height: Int32) {
        // An odd row or column has nobody to share its colour with.
        self.width = max(2, width & ~1)
        self.height = max(2, height & ~1)
    }
}
