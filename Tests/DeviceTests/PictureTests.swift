import Media
import Testing

@testable import V4L2

/// Where rows lie, what is found in coded pictures, and what users call things.
struct PictureTests {
    @Test(arguments: [
        ("NV12", 64 * 6 + 64 * 3, 7 * 5 + 8 * 3), ("YU12", 64 * 6 + 32 * 3 * 2, 7 * 5 + 4 * 3 * 2), ("NV24", 64 * 5 * 3, 7 * 5 * 3),
        ("YUYV", 64 * 5, 16 * 5), ("RGB3", 64 * 5, 21 * 5),
    ])
    func paddedRowsArePacked(name: String, extent: Int, size: Int) throws {
        let format = try #require(PixelFormat.all.first { $0.text == name })
        // 7 x 5: odd, so that chromas round up.
        let layout = PictureLayout(format, width: 7, height: 5, strides: [64])
        #expect(layout.size == size && !layout.isPacked && layout.extents[0] <= extent)
        var buffer = [UInt8](repeating: 0xEE, count: layout.extents[0])
        var expected: [UInt8] = []
        for plane in layout.planes {
            for row in 0..<plane.rows {
                for column in 0..<plane.row {
                    let value = UInt8(truncatingIfNeeded: expected.count % 199)
                    buffer[plane.offset + row * plane.stride + column] = value
                    expected.append(value)
                }
            }
        }
        var packed = [UInt8](repeating: 0, count: layout.size)
        pack([buffer], layout, into: &packed)
        #expect(packed == expected)
    }

    /// Through the multi-planar interface each plane may have memory, and a stride, of its own.
    @Test(arguments: [("NM12", [64, 96], "NV12"), ("YM12", [64, 64, 96], "YU12"), ("YM24", [7, 64, 7], "YM24")])
    func planesApartBecomeOnePicture(name: String, strides: [Int], packedName: String) throws {
        let format = try #require(PixelFormat.all.first { $0.text == name })
        #expect(format.pieces == strides.count)
        let layout = PictureLayout(format, width: 7, height: 5, strides: strides)
        var value: UInt8 = 0
        var expected: [UInt8] = []
        let pieces = zip(strides, layout.planes).map { (stride, plane) in
            (0..<plane.rows).flatMap { row -> [UInt8] in
                let pixels = (0..<plane.row).map { _ -> UInt8 in
                    value = value == 198 ? 0 : value + 1
                    return value
                }
                expected += pixels
                return pixels + Array(repeating: 0xEE, count: row == plane.rows - 1 ? 0 : stride - plane.row)
            }
        }
        #expect(!layout.isPacked && layout.extents == pieces.map(\.count))
        if let contiguous = PixelFormat.all.first(where: { $0.text == packedName && $0.pieces == 1 }) {
            #expect(layout.size == PictureLayout(contiguous, width: 7, height: 5, strides: [8]).size && format.tag == contiguous.tag)
        }
        var packed = [UInt8](repeating: 0, count: layout.size)
        pack(pieces, layout, into: &packed)
        #expect(packed == expected)
    }

    private func pack(_ pieces: [[UInt8]], _ layout: PictureLayout, into packed: inout [UInt8]) {
        let memory = pieces.map { piece in
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: piece.count, alignment: 64)
            copy.copyBytes(from: piece)
            return copy
        }
        defer { for piece in memory { piece.deallocate() } }
        memory.map { UnsafeRawBufferPointer($0) }.withUnsafeBufferPointer { pieces in
            packed.withUnsafeMutableBytes { layout.pack(pieces, into: $0) }
        }
    }

    @Test func aTightBufferIsTakenAsItIs() throws {
        for format in PixelFormat.all where format.isRaw && format.pieces == 1 {
            let first = format.planes[0]
            let layout = PictureLayout(format, width: 640, height: 480, strides: [first.row(width: 640)])
            #expect(layout.isPacked && layout.extents == [layout.size], "\(format.text)")
        }
    }

    @Test func parameterSetsAndKeyFramesAreFound() {
        let sets: [UInt8] = [0, 0, 0, 1, 0x67, 1, 2, 0, 0, 0, 1, 0x68, 3]
        let key = sets + [0, 0, 1, 0x65, 9, 9, 9]
        let other: [UInt8] = [0, 0, 1, 0x41, 0, 0, 1, 0x65]
        key.withUnsafeBytes {
            let span = RawSpan(_unsafeBytes: $0)
            #expect(AnnexB.hasKeyFrame(span) && AnnexB.parameterSets(span) == sets)
        }
        other.withUnsafeBytes {
            let span = RawSpan(_unsafeBytes: $0)
            #expect(!AnnexB.hasKeyFrame(span) && AnnexB.parameterSets(span).isEmpty)
        }
    }

    @Test func formatsHaveTheirUsersNames() throws {
        for (word, name) in [("yuyv", "YUYV"), ("yuyv422", "YUYV"), ("mjpeg", "MJPG"), ("MJPG", "MJPG"), ("yuv420p", "YU12"), ("h264", "H264")] {
            #expect(PixelFormat.all.first { $0.isCalled(word) }?.text == name)
        }
        #expect(PictureSize("1280x720") == PictureSize(width: 1280, height: 720))
        for word in ["1280", "x", "0x5", "1280x720x3", "-1x2", "99999x1"] { #expect(PictureSize(word) == nil) }
    }
}
