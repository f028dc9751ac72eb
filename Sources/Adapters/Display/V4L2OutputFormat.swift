import CLibAV
import CV4L2

/// Pictures as the programs that know only cameras take them.
public enum V4L2OutputFormat: String, CaseIterable, Sendable {
    case yuyv, yuv420, nv12

    /// As libav calls it.
    var name: String {
        switch self {
        case .yuyv: "yuyv422"
        case .yuv420: "yuv420p"
        case .nv12: "nv12"
        }
    }

    var libav: AVPixelFormat {
        switch self {
        case .yuyv: AV_PIX_FMT_YUYV422
        case .yuv420: AV_PIX_FMT_YUV420P
        case .nv12: AV_PIX_FMT_NV12
        }
    }

    var fourcc: UInt32 {
        switch self {
        case .yuyv: cv4l2_fourcc("YUYV")
        case .yuv420: cv4l2_fourcc("YU12")
        case .nv12: cv4l2_fourcc("NV12")
        }
    }

    /// How a plane lies in the device's picture.
    struct Plane {
        /// Octets of a row for each `columns` pixels, which are rounded up.
        var octets = 1
        var columns = 1
        /// Rows of the picture for each of the plane.
        var rows = 1
        /// The part of the first plane's stride that its own is.
        var part = 1

        func row(width: Int) -> Int { (width + columns - 1) / columns * octets }
        func rowCount(height: Int) -> Int { (height + rows - 1) / rows }
    }

    var planes: [Plane] {
        switch self {
        case .yuyv: [Plane(octets: 4, columns: 2)]
        case .yuv420: [Plane(), Plane(columns: 2, rows: 2, part: 2), Plane(columns: 2, rows: 2, part: 2)]
        case .nv12: [Plane(), Plane(octets: 2, columns: 2, rows: 2)]
        }
    }

    /// Octets of a picture whose first plane has rows of `stride` octets.
    func extent(stride: Int, height: Int) -> Int { planes.reduce(0) { $0 + stride / $1.part * $1.rowCount(height: height) } }
}
