/// Everything that a decoder or a container needs to know of a stream; `struct ipn_media_stream` in Swift.
public struct StreamDescription: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        case video(Video)
        case audio(Audio)
        case subtitle
    }

    /// The position of this stream in its publication, from 0.
    public var index: Int
    public var kind: Kind
    /// FFmpeg's name of the codec descriptor: "h264", "aac", "pcm_s16le", "rawvideo".
    public var codec: String
    /// The four characters of the container that it came from, or 0.
    public var codecTag: UInt32 = 0
    /// FFmpeg's AV_DISPOSITION_* bits.
    public var disposition: UInt32 = 0
    public var timeBase: TimeBase
    /// In ticks of `timeBase`; nil if unknown.
    public var startTime: Int64?
    /// bit/s; 0 if unknown.
    public var bitRate: Int64 = 0
    /// FFmpeg's number for this codec; nil if unknown.
    public var profile: Int32?
    public var level: Int32?
    public var bitsPerCodedSample: Int32 = 0
    public var bitsPerRawSample: Int32 = 0
    /// ISO 639-2, or empty.
    public var language: String = ""
    public var title: String = ""
    /// What the codec needs ahead of the first packet (avcC, AudioSpecificConfig, …).
    public var extradata: [UInt8] = []

    public init(index: Int, kind: Kind, codec: String, timeBase: TimeBase) {
        self.index = index
        self.kind = kind
        self.codec = codec
        self.timeBase = timeBase
    }

    public struct Video: Sendable, Hashable {
        /// Pixels.
        public var width: Int32
        public var height: Int32
        /// FFmpeg's name: "yuv420p"; empty if unknown.
        public var pixelFormat: String
        public var sampleAspect: Ratio = .unknown
        /// Average frames per second.
        public var frameRate: Ratio = .unknown
        /// The lowest rate of which every time stamp is a multiple.
        public var realFrameRate: Ratio = .unknown
        /// AVFieldOrder; 0 unknown, 1 progressive.
        public var fieldOrder: Int32 = 0
        /// These five are FFmpeg's numbers, which are those of ISO/IEC 23091 where it has one.
        public var colorRange: Int32 = 0
        public var colorPrimaries: Int32 = 2
        public var colorTransfer: Int32 = 2
        public var colorSpace: Int32 = 2
        public var chromaLocation: Int32 = 0
        /// Frames by which reordering delays the output.
        public var delay: Int32 = 0

        public init(width: Int32, height: Int32, pixelFormat: String) {
            self.width = width
            self.height = height
            self.pixelFormat = pixelFormat
        }
    }

    public struct Audio: Sendable, Hashable {
        /// Hz.
        public var sampleRate: Int32
        public var channels: Int32
        /// FFmpeg's description: "stereo", "5.1(side)"; empty if unknown.
        public var channelLayout: String
        /// FFmpeg's name: "fltp", "s16"; empty if unknown.
        public var sampleFormat: String
        /// Samples of a channel in a packet; 0 if it varies.
        public var frameSize: Int32 = 0
        public var blockAlign: Int32 = 0
        /// Samples of a channel that the encoder put in front, and behind.
        public var initialPadding: Int32 = 0
        public var trailingPadding: Int32 = 0
        public var seekPreroll: Int32 = 0

        public init(sampleRate: Int32, channels: Int32, channelLayout: String, sampleFormat: String) {
            self.sampleRate = sampleRate
            self.channels = channels
            self.channelLayout = channelLayout
            self.sampleFormat = sampleFormat
        }
    }
}

extension StreamDescription {
    public var video: Video? { if case .video(let video) = kind { video } else { nil } }
    public var audio: Audio? { if case .audio(let audio) = kind { audio } else { nil } }
    public var isVideo: Bool { video != nil }
    public var isAudio: Bool { audio != nil }
    public var isSubtitle: Bool { kind == .subtitle }

    /// Ticks from a packet to the next; nil where that varies, or nobody knows.
    public var packetTicks: Int64? {
        switch kind {
        case .video(let video) where video.frameRate.isKnown:
            timeBase.ticks(1, from: TimeBase(video.frameRate.denominator, video.frameRate.numerator) ?? timeBase)
        case .audio(let audio) where audio.frameSize > 0:
            timeBase.ticks(Int64(audio.frameSize), from: TimeBase(1, audio.sampleRate) ?? timeBase)
        default: nil
        }
    }
}

extension StreamDescription {
    /// Whether a decoder that was made for one goes on with the other, and a container too: they differ in nothing but where they
    /// begin, in averages, and in names.
    public func goesOn(with other: StreamDescription) -> Bool { essence == other.essence }

    private var essence: StreamDescription {
        var essence = self
        essence.startTime = nil
        essence.bitRate = 0
        (essence.disposition, essence.language, essence.title) = (0, "", "")
        if case .video(var video) = kind {
            (video.frameRate, video.realFrameRate) = (.unknown, .unknown)
            essence.kind = .video(video)
        }
        return essence
    }
}

extension [StreamDescription] {
    /// Whether each of them goes on with its counterpart.
    public func goOn(with others: [StreamDescription]) -> Bool {
        count == others.count && zip(self, others).allSatisfy { $0.goesOn(with: $1) }
    }
}

extension StreamDescription: CustomStringConvertible {
    /// `#0 h264 1280x720 25 fps`, `#1 aac 48000 Hz 5.1 eng`.
    public var description: String {
        var text = "#\(index) \(codec)"
        switch kind {
        case .video(let video):
            text += " \(video.width)x\(video.height)"
            if video.frameRate.isKnown {
                let hundredths = Int((video.frameRate.value * 100).rounded())
                let fraction = hundredths % 100
                text += " \(hundredths / 100)" + (fraction == 0 ? "" : fraction < 10 ? ".0\(fraction)" : ".\(fraction)") + " fps"
            }
        case .audio(let audio):
            text += " \(audio.sampleRate) Hz \(audio.channelLayout)"
        case .subtitle:
            text += " subtitle"
        }
        return language.isEmpty || language == "und" ? text : "\(text) \(language)"
    }
}
