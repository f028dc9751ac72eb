import Media

/// A format of pictures, as drivers and libav name it.
struct PixelFormat: Sendable, Hashable {
    /// Four characters, the first in the lowest byte.
    let fourcc: UInt32
    /// The same pictures with their planes behind each other, where this one has memory of its own for each; otherwise as `fourcc`.
    let packed: UInt32
    /// FFmpeg's codec: "rawvideo", "mjpeg", "h264".
    let codec: String
    /// FFmpeg's pixel format; empty where the coder decides.
    let name: String
    let planes: [Plane]

    /// How a plane of a raw picture lies in memory.
    struct Plane: Sendable, Hashable {
        /// Octets of a row for each `columns` pixels of the picture, which is rounded up.
        var octets: Int
        var columns = 1
        /// Rows of the picture for each row of the plane.
        var rows = 1

        /// Octets of a row without padding.
        func row(width: Int) -> Int { (width + columns - 1) / columns * octets }
        func rowCount(height: Int) -> Int { (height + rows - 1) / rows }
    }

    var isRaw: Bool { codec == "rawvideo" }
    /// Of memory, in which a driver lays a picture.
    var pieces: Int { fourcc == packed ? 1 : planes.count }
    var isRGB: Bool { !planes.isEmpty && (name.contains("rgb") || name.contains("bgr")) && !name.hasPrefix("bayer") }
    /// What libav's codec "rawvideo" and its containers call it; 0 where they have no name for it, and would take the driver's
    /// for another format. The order of the chromas of YV12 is told by this alone.
    var tag: UInt32 {
        switch Self.text(packed) {
        case "NV12", "NV21", "YV12", "YUYV", "UYVY", "YVYU", "422P", "YV16", "444P", "YV24", "GREY": packed
        case "YU12": 0x3032_3449  // I420
        default: 0
        }
    }

    /// `YUYV`
    var text: String { Self.text(fourcc) }

    /// Whether a user who writes this means it: `yuyv`, `yuyv422`, `MJPG`, `mjpeg`.
    func isCalled(_ word: String) -> Bool {
        let word = word.lowercased()
        return word == text.lowercased() || word == name || (!isRaw && word == codec) || (word == "yuv420" && name == "yuv420p")
    }

    static func text(_ fourcc: UInt32) -> String {
        let octets = (0..<4).map { UInt8(truncatingIfNeeded: fourcc >> ($0 * 8)) & 0x7f }
        let text = String(decoding: octets.map { $0 < 0x20 ? UInt8(ascii: "?") : $0 }, as: UTF8.self)
        return (text.last == " " ? String(text.dropLast()) : text) + (fourcc >> 31 == 1 ? "-BE" : "")
    }
}

extension PixelFormat {
    private init(_ characters: StaticString, _ name: String, _ planes: [Plane], codec: String = "rawvideo", bigEndian: Bool = false) {
        var fourcc = characters.withUTF8Buffer { $0.enumerated().reduce(UInt32(0)) { $0 | UInt32($1.element) << UInt32($1.offset * 8) } }
        if bigEndian { fourcc |= 1 << 31 }
        self.init(fourcc: fourcc, packed: fourcc, codec: codec, name: name, planes: planes)
    }

    /// With memory of its own for each plane.
    private static func apart(_ characters: StaticString, _ packed: PixelFormat) -> PixelFormat {
        let fourcc = PixelFormat(characters, "", []).fourcc
        return PixelFormat(fourcc: fourcc, packed: packed.fourcc, codec: packed.codec, name: packed.name, planes: packed.planes)
    }

    private static func packed(_ characters: StaticString, _ name: String, _ octets: Int, per columns: Int = 1, bigEndian: Bool = false)
        -> PixelFormat
    {
        PixelFormat(characters, name, [Plane(octets: octets, columns: columns)], bigEndian: bigEndian)
    }

    /// Luma, then both chromas in one plane.
    private static func semiPlanar(_ characters: StaticString, _ name: String, columns: Int, rows: Int, depth: Int = 1) -> PixelFormat {
        let chroma = Plane(octets: 2 * depth, columns: columns, rows: rows)
        return PixelFormat(characters, name, [Plane(octets: depth), chroma])
    }

    private static func planar(_ characters: StaticString, _ name: String, columns: Int, rows: Int) -> PixelFormat {
        let chroma = Plane(octets: 1, columns: columns, rows: rows)
        return PixelFormat(characters, name, [Plane(octets: 1), chroma, chroma])
    }

    /// All that is carried; the first that a device has is the one it is asked for, if nobody says otherwise. Raw ones come
    /// before coded ones, which cost their quality; among raw ones, those with the fewest octets.
    static let all: [PixelFormat] = [
        semiPlanar("NV12", "nv12", columns: 2, rows: 2), planar("YU12", "yuv420p", columns: 2, rows: 2),
        semiPlanar("NV21", "nv21", columns: 2, rows: 2), planar("YV12", "yuv420p", columns: 2, rows: 2),
        apart("NM12", semiPlanar("NV12", "nv12", columns: 2, rows: 2)), apart("YM12", planar("YU12", "yuv420p", columns: 2, rows: 2)),
        apart("NM21", semiPlanar("NV21", "nv21", columns: 2, rows: 2)), apart("YM21", planar("YV12", "yuv420p", columns: 2, rows: 2)),
        packed("YUYV", "yuyv422", 4, per: 2), packed("UYVY", "uyvy422", 4, per: 2), packed("YVYU", "yvyu422", 4, per: 2),
        semiPlanar("NV16", "nv16", columns: 2, rows: 1), planar("422P", "yuv422p", columns: 2, rows: 1),
        apart("NM16", semiPlanar("NV16", "nv16", columns: 2, rows: 1)), apart("YM16", planar("422P", "yuv422p", columns: 2, rows: 1)),
        apart("YM61", planar("YV16", "yuv422p", columns: 2, rows: 1)),
        semiPlanar("P010", "p010le", columns: 2, rows: 2, depth: 2),
        semiPlanar("NV24", "nv24", columns: 1, rows: 1), semiPlanar("NV42", "nv42", columns: 1, rows: 1),
        apart("YM24", planar("444P", "yuv444p", columns: 1, rows: 1)), apart("YM42", planar("YV24", "yuv444p", columns: 1, rows: 1)),
        packed("RGB3", "rgb24", 3), packed("BGR3", "bgr24", 3),
        packed("XR24", "bgr0", 4), packed("BX24", "0rgb", 4), packed("AR24", "bgra", 4), packed("BA24", "argb", 4),
        packed("AB24", "rgba", 4), packed("XB24", "rgb0", 4), packed("RA24", "abgr", 4), packed("RX24", "0bgr", 4),
        packed("BGR4", "bgr0", 4), packed("RGB4", "0rgb", 4),
        packed("RGBP", "rgb565le", 2), packed("RGBR", "rgb565be", 2), packed("RGBO", "rgb555le", 2),
        packed("XR15", "rgb555le", 2), packed("AR15", "rgb555le", 2), packed("RGBQ", "rgb555be", 2),
        packed("GREY", "gray", 1), packed("Y10 ", "gray10le", 2), packed("Y12 ", "gray12le", 2), packed("Y16 ", "gray16le", 2),
        packed("Y16 ", "gray16be", 2, bigEndian: true),
        packed("BA81", "bayer_bggr8", 1), packed("GBRG", "bayer_gbrg8", 1), packed("GRBG", "bayer_grbg8", 1),
        packed("RGGB", "bayer_rggb8", 1), packed("BYR2", "bayer_bggr16le", 2), packed("GB16", "bayer_gbrg16le", 2),
        packed("GR16", "bayer_grbg16le", 2), packed("RG16", "bayer_rggb16le", 2),
        PixelFormat("MJPG", "", [], codec: "mjpeg"), PixelFormat("JPEG", "", [], codec: "mjpeg"),
        PixelFormat("H264", "", [], codec: "h264"),
    ]

    static func with(fourcc: UInt32) -> PixelFormat? { all.first { $0.fourcc == fourcc } }
}
