/// Where the rows of a raw picture lie in a driver's buffer, and how many octets the picture has without their padding.
struct PictureLayout: Sendable {
    struct Plane: Sendable {
        /// The piece of memory that it lies in, and octets from the beginning of that.
        var piece: Int
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
    /// Octets that the picture reaches to, in each piece of memory.
    let extents: [Int]
    /// Whether the buffer is the packed picture.
    let isPacked: Bool

    /// - Parameter strides: octets, as the driver tells them: of each plane, where each has memory of its own; otherwise of the first,
    ///   and those of the others follow from it.
    init(_ format: PixelFormat, width: Int, height: Int, strides: [Int]) {
        var planes: [Plane] = []
        var extents = Array(repeating: 0, count: strides.count)
        var offset = 0
        let first = format.planes[0]
        for (index, plane) in format.planes.enumerated() {
            let isApart = strides.count > 1
            let stride = isApart ? strides[index] : strides[0] * plane.octets * first.columns / (plane.columns * first.octets)
            let piece = isApart ? index : 0
            let (row, rows) = (plane.row(width: width), plane.rowCount(height: height))
            planes.append(Plane(piece: piece, offset: isApart ? 0 : offset, stride: stride, row: row, rows: rows))
            extents[piece] = planes[index].offset + stride * (rows - 1) + row
            offset += stride * rows
        }
        self.planes = planes
        self.extents = extents
        size = planes.reduce(0) { $0 + $1.row * $1.rows }
        isPacked = strides.count == 1 && planes.allSatisfy { $0.row == $0.stride }
    }

    /// Copies the rows without their padding.
    /// - Parameter pieces: at least `extents` long.
    func pack(_ pieces: UnsafeBufferPointer<UnsafeRawBufferPointer>, into room: UnsafeMutableRawBufferPointer) {
        var to = room.baseAddress!
        for plane in planes {
            let from = pieces[plane.piece].baseAddress! + plane.offset
            for row in 0..<plane.rows {
                to.copyMemory(from: from + row * plane.stride, byteCount: plane.row)
                to += plane.row
            }
        }
    }
}
