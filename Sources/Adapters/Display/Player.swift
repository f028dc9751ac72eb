import CLibAV
import Glibc
import LibAVBase
public import Media

/// Decodes and shows the first video stream, and plays the first sound stream, of a publication.
///
/// It has no thread: give it packets with `write` as they come, and call `present` when `nextDue` says, and
/// some ten times a second at least, for the user's sake. One thread only; the process's first for a window.
public struct Player: ~Copyable, PacketSink {
    public enum Output: Sendable {
        /// A window if there is a display, else the terminal if standard output is one, else nothing.
        case automatic
        case window
        case terminal
        /// Decodes, and prints one line at the end.
        case nothing
    }

    /// What there is to tell of something that does not work as asked: no sound device, a stream that cannot be decoded.
    public private(set) var notes: [String] = []
    public private(set) var shownCount: UInt64 = 0
    /// Packets that made no sense to the decoder.
    public private(set) var damagedCount: UInt64 = 0
    /// Pictures that came too late to be shown, or faster than a terminal takes them.
    public var droppedCount: UInt64 { queue.droppedCount }

    private let screen: any Screen
    private var video: Decoder?
    private var audio: Decoder?
    private var loudspeaker: Loudspeaker?
    private var resampler = Resampler(rate: Loudspeaker.rate)
    private let videoIndex: Int?
    private let audioIndex: Int?
    private var queue = PictureQueue()
    /// CLOCK_MONOTONIC at media time 0.
    private var origin: Int64?
    private var lastShown: Int64 = .min
    private var isFinished = false

    /// Time that packets have to arrive unevenly, nanoseconds.
    private static var cushion: Int64 { 100_000_000 }

    /// - Parameters:
    ///   - title: of the window.
    ///   - sound: whether to play it.
    /// - Throws: `.noStreams`, `.unsupportedCodec`, and for `.window` `.noDisplay`.
    public init(streams: [StreamDescription], title: String = "ipn", output: Output = .automatic, sound: Bool = true) throws(MediaError) {
        let picture = streams.first { $0.isVideo }
        let tone = sound ? streams.first { $0.isAudio } : nil
        guard picture != nil || tone != nil else { throw MediaError(.noStreams, object: title, what: "nothing that can be played") }
        var notes: [String] = []
        let video: Decoder? = if let picture { try Decoder(picture) } else { nil }
        var audio: Decoder?
        var loudspeaker: Loudspeaker?
        if let tone {
            do throws(MediaError) {
                let speaker = try Loudspeaker()
                audio = try Decoder(tone)
                loudspeaker = consume speaker
            } catch {
                notes.append(error.description)
            }
        }
        screen = try Self.screen(output, title, picture?.video)
        self.video = video
        self.audio = audio
        self.loudspeaker = loudspeaker
        self.notes = notes
        videoIndex = picture?.index
        audioIndex = tone?.index
    }

    private static func screen(_ output: Output, _ title: String, _ video: StreamDescription.Video?) throws(MediaError) -> any Screen {
        guard let video, output != .nothing else { return NoScreen() }
        if output != .terminal {
            let isThere = getenv("DISPLAY") != nil || getenv("WAYLAND_DISPLAY") != nil
            if isThere || output == .window {
                do {
                    return try WindowScreen(title: title, width: video.width, height: video.height)
                } catch {
                    guard output == .automatic else { throw error }
                }
            }
        }
        guard output == .terminal || isatty(1) == 1 else { return NoScreen() }
        return try TerminalScreen(descriptor: 1)
    }

    /// Decodes it; pictures wait for `present`. Never waits for time to pass.
    /// - Throws: `.outOfMemory`. Damaged packets are counted instead.
    public mutating func write(_ packet: CodedPacket, _ bytes: RawSpan) throws(MediaError) {
        if packet.stream == videoIndex, let isGood = try video?.send(packet, bytes) {
            if !isGood { damagedCount += 1 }
            takePictures()
        } else if packet.stream == audioIndex, let isGood = try audio?.send(packet, bytes) {
            if !isGood { damagedCount += 1 }
            takeSound()
        }
    }

    private mutating func takePictures() {
        while video?.receive() == true {
            guard let frame = video?.frame.pointer, let time = video?.time ?? nil,
                let picture = PictureQueue.Picture(frame, time: time)
            else { continue }
            start(at: time)
            queue.append(picture)
        }
    }

    private mutating func takeSound() {
        while audio?.receive() == true {
            guard let frame = audio?.frame.pointer else { return }
            let time = audio?.time ?? nil
            if let time { start(at: time) }
            resampler.convert(frame) { loudspeaker?.play($0, at: time) }
        }
    }

    /// Lays media time on the clock, at the beginning and after a jump of more than ten seconds.
    private mutating func start(at time: Int64) {
        let now = monotonicNanoseconds()
        if let origin {
            let due = Int128(origin) + Int128(time)
            guard abs(due - Int128(now)) > 10_000_000_000 else { return }
        }
        origin = Int64(clamping: Int128(now) + Int128(Self.cushion) - Int128(time))
    }

    /// When to call `present` next, in nanoseconds on CLOCK_MONOTONIC; nil while no picture waits.
    public var nextDue: Int64? {
        guard let origin, let first = queue.first else { return nil }
        return max(Int64(clamping: Int128(origin) + Int128(first.time)), lastShown &+ screen.shortestInterval)
    }

    /// Shows what is due, and answers the user.
    /// - Returns: false if the user wants to leave.
    public mutating func present() throws(MediaError) -> Bool {
        guard screen.answer() else { return false }
        let now = monotonicNanoseconds()
        followSound(now)
        guard let due = nextDue, due <= now, let origin, let picture = queue.take(until: now &- origin) else { return true }
        try screen.show(picture.frame.pointer, aspect: Self.aspect(of: picture.frame.pointer))
        lastShown = now
        shownCount += 1
        return true
    }

    /// Ears notice what eyes forgive: pictures follow the sound.
    private mutating func followSound(_ now: Int64) {
        guard let origin, let heard = loudspeaker?.position ?? nil else { return }
        let error = now &- origin &- heard
        if abs(error) > 40_000_000 { self.origin = origin &+ error }
    }

    private static func aspect(of picture: UnsafeMutablePointer<AVFrame>) -> Double {
        let sample = Ratio(picture.pointee.sample_aspect_ratio)
        let aspect = Double(picture.pointee.width) / Double(max(1, picture.pointee.height)) * (sample.isKnown ? sample.value : 1)
        // A stranger's: no window a pixel high.
        return min(max(aspect, 0.1), 10)
    }

    /// No more packets: what the decoders hold back goes into the queue. Call `present` while `isPlaying`, then `close`.
    public mutating func finish() throws(MediaError) {
        guard !isFinished else { return }
        isFinished = true
        video?.drain()
        takePictures()
        audio?.drain()
        takeSound()
        loudspeaker?.drain()
    }

    /// Whether pictures or sound still wait for their time.
    public var isPlaying: Bool {
        guard queue.isEmpty else { return true }
        switch loudspeaker {
        case .some(let loudspeaker): return loudspeaker.queued > 0
        case .none: return false
        }
    }

    /// One line: `75 pictures shown, 2 skipped, 0 packets damaged`.
    public var summary: String { "\(shownCount) pictures shown, \(droppedCount) skipped, \(damagedCount) packets damaged" }

    /// Restores the terminal, or closes the window; without either, or in a terminal, prints `summary`.
    public consuming func close() { screen.close(summary: summary) }
}
