import CLibAV
import Glibc
import LibAVBase
import Media

/// Whether raw pictures come out of a container as what they went in. AVI and QuickTime take any, and have names for some only: a
/// recording of the others reads as something else, or not at all. What knows it best is the library that reads them: a small
/// picture of the kind is written and read back.
enum RawPictureTrial {
    /// - Throws: `.unsupportedCodec` for a stream that the container would spoil.
    static func run(_ destination: borrowing Destination, _ interruption: Interruption) throws(MediaError) {
        // What nobody reads back by itself (bare pictures, checksums) is as told.
        guard destination.format != "rawvideo", av_find_input_format(destination.format) != nil else { return }
        for stream in destination.streams where stream.codec == "rawvideo" {
            guard let format = stream.video?.pixelFormat, !format.isEmpty,
                try readBack(stream, destination, interruption) != format
            else { continue }
            throw MediaError(
                .unsupportedCodec, object: destination.url, what: "\(destination.format) cannot hold raw pictures of \(format)",
                remedy: destination.remedy)
        }
    }

    /// - Returns: the format that a reader finds; nil where it finds none.
    private static func readBack(
        _ stream: StreamDescription, _ destination: borrowing Destination, _ interruption: Interruption
    ) throws(MediaError) -> String? {
        guard var video = stream.video else { return nil }
        (video.width, video.height) = (64, 64)
        var small = stream
        small.kind = .video(video)
        let size = av_image_get_buffer_size(av_get_pix_fmt(video.pixelFormat), 64, 64, 1)
        guard size > 0 else { return nil }

        // In a file: AVI's header comes apart in libavformat's memory.
        let file = try TrialFile()
        var output = try OutputContext(destination, interruption: interruption)
        try output.add(small, destination)
        try output.open(file: file.raw)
        var options = OptionDictionary(destination.options)
        try output.writeHeader(destination, &options)
        let packet = try Packet()
        let picture = [UInt8](repeating: 128, count: Int(size))
        for number: Int64 in 0..<3 {
            let ticks = TimeBase.millisecond.ticks(number * 40, from: .millisecond)
            var coded = CodedPacket(stream: 0, pts: ticks, dts: ticks)
            (coded.isKey, coded.duration) = (true, 40)
            try packet.copy(coded, picture.span.bytes)
            if let base = output.time(of: 0) { av_packet_rescale_ts(packet.pointer, TimeBase.millisecond.rational, base.rational) }
            guard output.write(packet) >= 0 else { return nil }
        }
        guard output.flush() >= 0, output.writeTrailer() >= 0, output.close() >= 0 else { return nil }
        let demuxer = try? Demuxer(url: "/proc/self/fd/\(file.raw)")
        return switch demuxer {
        case .some(let demuxer): demuxer.streams.first?.video?.pixelFormat
        case .none: nil
        }
    }
}

/// A file without a name, gone with this.
private struct TrialFile: ~Copyable {
    let raw: CInt

    init() throws(MediaError) {
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var name = Array("\(folder)/ipn-trial-XXXXXX".utf8CString)
        raw = mkstemp(&name)
        guard raw >= 0 else { throw LocalFile.failure(errno, .cannotOpen, folder, "a trial cannot be written") }
        unlink(name)
    }

    deinit { close(raw) }
}
