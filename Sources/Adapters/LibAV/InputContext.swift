import CLibAV
import LibAVBase
import Media

/// An AVFormatContext that reads.
struct InputContext: ~Copyable {
    let pointer: UnsafeMutablePointer<AVFormatContext>
    /// The context borrows it: it has to outlive the closing.
    private let interruption: Interruption
    private let unusedOptions: [String]

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
        var context = avformat_alloc_context()
        guard context != nil else { throw .noMemory("a demuxer") }
        context?.pointee.interrupt_callback = interruption.callback
        // Containers such as AVI know no pts; muxers insist on one.
        context?.pointee.flags |= AVFMT_FLAG_GENPTS
        var dictionary = OptionDictionary(options)
        // On failure it frees the context itself.
        let status = avformat_open_input(&context, url, inputFormat, &dictionary.pointer)
        guard status >= 0, let context else {
            throw LibAVFailure.error(
                status, .cannotOpen, object: url, what: "cannot be opened", since: mark, interruption: interruption)
        }
        pointer = context
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
    }

    var streams: UnsafeBufferPointer<UnsafeMutablePointer<AVStream>?> {
        UnsafeBufferPointer(start: pointer.pointee.streams, count: Int(pointer.pointee.nb_streams))
    }
}
