import LibAV
package import Media

/// Writes a publication into a file or onto a network, as it is. The next publication on the same bus network goes into
/// a file of its own (`copy.mkv`, `copy-2.mkv`, ...): a container cannot change its streams in the middle.
package struct FileSink: ~Copyable, ConsumerSink {
    private let url: String
    private let format: String?
    private let options: [(key: String, value: String)]
    private let overwrite: Bool
    private let stop: StopFlag
    private var muxer: Muxer?
    /// A publication of which nothing has been written: a file is opened, or replaced, only for what goes into it.
    private var announced: [StreamDescription]?
    private var count = 0
    /// All that was written, in order.
    package private(set) var urls: [String] = []

    package init(
        url: String, format: String? = nil, options: [(key: String, value: String)] = [], overwrite: Bool, stop: StopFlag
    ) {
        self.url = url
        self.format = format
        self.options = options
        self.overwrite = overwrite
        self.stop = stop
    }

    package mutating func begin(_ streams: [StreamDescription]) throws(MediaError) {
        try finish()
        announced = streams
    }

    private mutating func open(_ streams: [StreamDescription]) throws(MediaError) {
        announced = nil
        count += 1
        let url = count == 1 || url.contains("://") ? url : numbered
        muxer = try Muxer(
            url: url, format: format, streams: streams, options: options, overwrite: overwrite, stop: stop)
        urls.append(url)
    }

    package mutating func write(_ packet: CodedPacket, _ bytes: RawSpan) throws(MediaError) {
        if let announced { try open(announced) }
        try muxer?.write(packet, bytes)
    }

    package mutating func finish() throws(MediaError) {
        try muxer?.finish()
        muxer = nil
    }

    private var numbered: String { Role.numbered(url, count) }
}
