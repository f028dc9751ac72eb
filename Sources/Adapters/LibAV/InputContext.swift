import CLibAV
import LibAVBase
import Media

/// An AVFormatContext that reads.
struct InputContext: ~Copyable {
    let pointer: UnsafeMutablePointer<AVFormatContext>
    /// The context borrows it: it has to outlive the closing.
    private let interruption: Interruption
    private let unusedOptions: [String]
    private let standardInput: StandardInput?

    /// Opens; `readStreams` comes next.
    init(url: String, format: String?, options: [(key: String, value: String)], interruption: Interruption) throws(MediaError) {
        let mark = LogTail.mark()
        var inputFormat: UnsafePointer<AVInputFormat>?
        if let format {
            inputFormat = av_find_input_format(format)
            guard inputFormat != nil else {
                throw MediaError(
                    .unsupportedFormat, object: format, what: "libavformat reads no such format",
                    remedy: "`ffmpeg -demuxers` lists what it reads")
            }
        }
        let standardInput = url == "-" ? try StandardInput(interruption) : nil
        var context = avformat_alloc_context()
        guard context != nil else { throw .noMemory("a demuxer") }
        context?.pointee.pb = standardInput?.pointer
        context?.pointee.interrupt_callback = interruption.callback
        // Containers such as AVI know no pts; muxers insist on one.
        context?.pointee.flags |= AVFMT_FLAG_GENPTS
        var dictionary = OptionDictionary(options)
        // On failure it frees the context itself.
        let status = avformat_open_input(&context, url, inputFormat, &dictionary.pointer)
        guard status >= 0, let context else {
            standardInput?.free()
            let isFile = LocalFile.scheme(of: url) == nil || LocalFile.exists(url) || url.hasPrefix("file:")
            throw LibAVFailure.error(
                status, .cannotOpen, object: url, what: "cannot be opened", remedy: isFile ? "" : "check the address, and that it is up",
                since: mark, interruption: interruption)
        }
        pointer = context
        self.standardInput = standardInput
        self.interruption = interruption
        unusedOptions = dictionary.unused
    }

    /// Reads as much as it takes to know the streams.
    func readStreams(_ url: String) throws(MediaError) {
        guard unusedOptions.isEmpty else {
            throw MediaError(.invalidOption, object: url, what: "nobody knows the option \(unusedOptions.joined(separator: ", "))")
        }
        let mark = LogTail.mark()
        let status = avformat_find_stream_info(pointer, nil)
        guard status >= 0 else {
            throw LibAVFailure.error(
                status, .cannotOpen, object: url, what: "its streams cannot be told", since: mark, interruption: interruption)
        }
    }

    deinit {
        var pointer: UnsafeMutablePointer<AVFormatContext>? = pointer
        withExtendedLifetime(interruption) { avformat_close_input(&pointer) }
        standardInput?.free()
    }

    /// Of what is read, in nanoseconds.
    var startTime: Int64 { firstMicrosecond * 1000 }

    private var firstMicrosecond: Int64 { pointer.pointee.start_time == clibav_no_pts() ? 0 : pointer.pointee.start_time }

    /// Goes to the key frame at that time, or before.
    /// - Parameter time: nanoseconds from the beginning.
    /// - Returns: libavformat's status.
    func seek(to time: Int64) -> Int32 {
        let target = firstMicrosecond + time / 1000
        return avformat_seek_file(pointer, -1, Int64.min, target, target, 0)
    }

    /// - Throws: `.invalidOption` where it is shorter, `.readFailed` where one cannot go to and fro in it.
    func seek(to time: Int64, _ url: String) throws(MediaError) {
        let length = pointer.pointee.duration
        guard length == clibav_no_pts() || time / 1000 < length else {
            let seconds = Double(length / 1000) / 1000
            throw MediaError(.invalidOption, object: url, what: "it ends after \(seconds) s, before \(time / 1_000_000_000) s")
        }
        let mark = LogTail.mark()
        let status = seek(to: time)
        guard status >= 0 else {
            throw LibAVFailure.error(
                status, .readFailed, object: url, what: "can be read from its beginning only", since: mark, interruption: interruption)
        }
    }

    /// Whether time stamps may jump without a gap, as in transport streams.
    var hasJumps: Bool { pointer.pointee.iformat.pointee.flags & AVFMT_TS_DISCONT != 0 }

    var streams: UnsafeBufferPointer<UnsafeMutablePointer<AVStream>?> {
        UnsafeBufferPointer(start: pointer.pointee.streams, count: Int(pointer.pointee.nb_streams))
    }
}
