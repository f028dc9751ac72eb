/// Where the rows of a raw picture lie in a driver's buffer, and how many octets the picture has without their padding.
struct PictureLayout: Sendable {
    struct Plane: Sendable {
        /// Octets from the buffer's beginning.
        var offset: Int
        /// Octets from one row to the next.
        var stride: Int
        /// Octets of a row that are picture.
        var row: Int
        var rows: Int
    }

    let planes: [Plane]
    /// Octets of the packed picture.
    let size: Int
    /// Octets of the buffer that the picture reaches to.
    let extent: Int
    /// Whether the buffer is the packed picture.
    let isPacked: Bool

    /// - Parameter stride: of the first plane, octets, as the driver tells it; those of the others follow from it.
    init(_ format: PixelFormat, width: Int, height: Int, stride: Int) {
        var planes: [Plane] = []
        var offset = 0
        let first = format.planes[0]
        for plane in format.planes {
            let stride = stride * plane.octets * first.columns / (plane.columns * first.octets)
            let rows = plane.rowCount(height: height)
            planes.append(Plane(offset: offset, stride: stride, row: plane.row(width: width), rows: rows))
            offset += stride * rows
        }
        self.planes = planes
        size = planes.reduce(0) { $0 + $1.row * $1.rows }
        isPacked = planes.allSatisfy { $0.row == $0.stride }
        extent = planes.map { $0.offset + $0.stride * ($0.rows - 1) + $0.row }.max() ?? 0
    }

    /// Copies the rows without their padding.
    func pack(_ buffer: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer) {
        var to = room.baseAddress!
        for plane in planes {
            for row in 0..<plane.rows {
                to.copyMemory(from: buffer.baseAddress! + plane.offset + row * plane.stride, byteCount: plane.row)
                to += plane.row
            }
        }
    }
}
