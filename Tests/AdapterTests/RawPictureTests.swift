import LibAV
import Media
import Testing

/// Raw pictures whose source has no tag for them, as cameras have none that libav knows.
struct RawPictureTests {
    @Test(arguments: [("rgb24", 3), ("bgr0", 4), ("rgb565le", 2), ("gray16le", 2)])
    func theirFormatIsInTheRecording(format: String, octets: Int) throws {
        let scratch = try Scratch()
        let video = StreamDescription.Video(width: 16, height: 4, pixelFormat: format)
        let stream = StreamDescription(index: 0, kind: .video(video), codec: "rawvideo", timeBase: .microsecond)
        let file = scratch.file("out.nut")
        var muxer = try Muxer(url: file, streams: [stream])
        let picture = [UInt8](repeating: 77, count: 16 * 4 * octets)
        for count in 0..<3 {
            var packet = CodedPacket(stream: 0, pts: Int64(count) * 40_000, dts: Int64(count) * 40_000)
            packet.isKey = true
            try muxer.write(packet, picture.span.bytes)
        }
        try muxer.finish()
        #expect(try Demuxer(url: file).streams.first?.video?.pixelFormat == format)
    }

    /// What would read as something else is refused, with what can be done instead.
    @Test(arguments: [
        ("avi", ["yuv420p", "yuyv422", "nv12", "gray"], ["rgb24", "bgra", "yuv444p"]),
        ("mov", ["yuyv422", "uyvy422", "rgb24", "bgra"], ["yuv420p", "nv12", "yuv444p", "gray"]),
        ("mkv", ["yuv420p", "nv12"], ["rgb24", "yuv444p"]),
        ("nut", ["yuv420p", "nv12", "rgb24", "bgra", "yuv444p", "gray"], []),
    ]) func whatAContainerWouldSpoilIsRefused(container: String, held: [String], refused: [String]) throws {
        let scratch = try Scratch()
        for format in held + refused {
            var video = StreamDescription.Video(width: 320, height: 240, pixelFormat: format)
            video.frameRate = Ratio(25, 1)
            let stream = StreamDescription(index: 0, kind: .video(video), codec: "rawvideo", timeBase: .microsecond)
            let file = scratch.file("\(format).\(container)")
            do throws(MediaError) {
                _ = try Muxer(url: file, streams: [stream])
                #expect(held.contains(format), "\(format) in \(container)")
            } catch {
                #expect(refused.contains(format), "\(error)")
                #expect(error.remedy == "write .nut instead" && error.code == .unsupportedCodec)
                #expect(!scratch.has("\(format).\(container)"))
            }
        }
    }
}
