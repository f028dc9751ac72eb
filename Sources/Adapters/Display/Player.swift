import CLibAV
import Glibc
import LibAVBase
public import Media

/// Decodes and shows the first video stream, and plays the first sound stream, of a publication: each picture and each sample
/// when its capture is the latency ago.
///
/// It has no thread: give it packets with `write` as they come, and call `present` when `nextDue` says, and
/// some fifty times a second at least, for the sound's sake. One thread only; the process's first for a window.
public struct Player: ~Copyable, PacketSink {
    typealias OpenSound = (PlayerSettings) throws(MediaError) -> any SoundDevice
    private let settings: PlayerSettings
    private let openSound: OpenSound
    private var screen: (any Screen)?
    private var loudspeaker: Loudspeaker?
    private var video: Decoder?
    private var audio: Decoder?
    private var videoIndex: Int?
    private var audioIndex: Int?
    private var clock: PresentationClock
    private var captures = CaptureTimes()
    private var queue = PictureQueue()
    private var shownCount: UInt64 = 0
    private var damagedCount: UInt64 = 0
    private var screenDelay: Int64?
    private var lastShown: Int64 = .min
    private var volume: Int
    private var isMuted = false
    private var isPaused = false
    private var isFinished = false
    /// Where the sound device went away: when to look for it again, nanoseconds on CLOCK_MONOTONIC.
    private var nextLook: Int64?
    /// Media time of the sound after the last frame: packets of several frames have a time for the first alone.
    private var soundEnd: Int64?
    /// Those of loudspeakers that went away.
    private var gapsBefore: UInt64 = 0
    private var news: [String] = []

    public init(_ settings: PlayerSettings = PlayerSettings()) {
        self.init(settings) { settings throws(MediaError) in try SoundCard(settings.soundDevice, latency: settings.latency) }
    }

    /// - Parameter openSound: opens what plays the sound; throws `.noDisplay`.
    init(_ settings: PlayerSettings, openSound: @escaping OpenSound) {
        self.settings = settings
        self.openSound = openSound
        clock = PresentationClock(latency: settings.latency)
        volume = settings.volume
    }

    /// Begins with a publication, in the window of the one before if there was one; what still waits of that is shown and heard when it
    /// is due, while this one comes in.
    /// - Returns: what there is to tell of sound that cannot be played beside pictures.
    /// - Throws: `.noStreams`, `.unsupportedCodec`; `.noDisplay` for `.window`, and where there is only sound and nothing to play it.
    public mutating func begin(_ streams: [StreamDescription]) throws(MediaError) -> [String] {
        let picture = streams.first { $0.isVideo }
        var tone = settings.sound ? streams.first { $0.isAudio } : nil
        guard picture != nil || tone != nil else {
            throw MediaError(.noStreams, object: settings.title, what: "nothing that can be played")
        }
        let video: Decoder? = if let picture { try Decoder(picture) } else { nil }
        var notes: [String] = []
        var audio: Decoder?
        do throws(MediaError) {
            audio = if let tone { try Decoder(tone) } else { nil }
            // One that went away is looked for anyway.
            if tone != nil, loudspeaker == nil, nextLook == nil {
                loudspeaker = Loudspeaker(try openSound(settings))
            }
        } catch {
            guard picture != nil else { throw error }
            notes.append(error.description)
            tone = nil
        }
        if screen == nil || screen is NoScreen {
            screen = try settings.screen(picture?.video)
            if picture != nil, settings.output == .automatic, screen is NoScreen {
                notes.append("\(settings.title): no display and no terminal here: its pictures are shown to nobody")
            }
        }
        try finish()
        if let zero { queue.settle(zero, latest: monotonicNanoseconds() + clock.latency + 1_000_000_000) }
        self.audio = audio
        self.video = video
        videoIndex = picture?.index
        audioIndex = tone?.index
        clock = PresentationClock(latency: clock.latency)
        captures.clear()
        soundEnd = nil
        isFinished = false
        setGain()
        return notes
    }

    /// When the pictures' media time of zero is due.
    private var zero: Int64? { videoIndex.flatMap { clock.due($0, 0) } }

    /// Decodes it; pictures wait for `present`. Never waits for time to pass.
    /// - Throws: `.outOfMemory`. Damaged packets are counted instead.
    public mutating func write(_ packet: CodedPacket, _ bytes: RawSpan) throws(MediaError) {
        let now = monotonicNanoseconds()
        if packet.stream == videoIndex, let timeBase = video?.timeBase, let isGood = try video?.send(packet, bytes) {
            clock.note(packet, timeBase, now: now)
            if let ticks = packet.pts { captures.note(timeBase.nanoseconds(ticks), packet.captureTime ?? now) }
            if !isGood { damagedCount += 1 }
            takePictures()
        } else if packet.stream == audioIndex, let timeBase = audio?.timeBase, let isGood = try audio?.send(packet, bytes) {
            clock.note(packet, timeBase, now: now)
            // All of a packet has to be there before its first sample is heard, and some time to spare.
            require(timeBase.nanoseconds(packet.duration) + 40_000_000)
            if !isGood { damagedCount += 1 }
            takeSound()
        }
    }

    /// Less latency than that is not possible, which whoever asked for less is told once.
    private mutating func require(_ least: Int64) {
        let before = clock.latency
        clock.require(least)
        guard clock.latency > before, before == settings.latency else { return }
        news.append(
            "\(settings.title): played after \(clock.latency / 1_000_000) ms, not \(before / 1_000_000): its sound comes in packets of \((least - 40_000_000) / 1_000_000) ms"
        )
    }

    private mutating func takePictures() {
        while video?.receive() == true {
            guard let frame = video?.frame.pointer, let time = video?.time ?? nil,
                let picture = PictureQueue.Picture(frame, time: time)
            else { continue }
            queue.append(picture)
        }
    }

    private mutating func takeSound() {
        while audio?.receive() == true {
            guard let index = audioIndex, let frame = audio?.frame.pointer, let time = (audio?.time ?? nil) ?? soundEnd,
                let due = clock.due(index, time)
            else { continue }
            soundEnd = time &+ Int64(frame.pointee.nb_samples) * 1_000_000_000 / Int64(max(1, frame.pointee.sample_rate))
            loudspeaker?.play(frame, time: time, due: due, now: monotonicNanoseconds())
        }
        if let shortfall = loudspeaker?.takeShortfall() {
            let before = clock.latency
            clock.require(before + shortfall)
            news.append("\(settings.soundDevice): played after \(clock.latency / 1_000_000) ms, not \(before / 1_000_000): it is slow")
        }
    }

    /// When to call `present` next, in nanoseconds on CLOCK_MONOTONIC; nil while no picture waits.
    public var nextDue: Int64? {
        guard let due = queue.first?.due(zero) else { return nil }
        return max(due, lastShown &+ (screen?.shortestInterval ?? 0))
    }

    /// Shows what is due, keeps the sound going, and answers the user.
    /// - Returns: false if the user wants to leave.
    public mutating func present() throws(MediaError) -> Bool {
        for key in screen?.keys() ?? [] where !answer(key) { return false }
        let now = monotonicNanoseconds()
        lookAfterSound(now)
        guard let screen, let due = nextDue, due <= now else { return true }
        guard let picture = queue.take(at: now, zero: zero, isWanted: !isPaused) else { return true }
        try screen.show(picture.frame.pointer, aspect: Self.aspect(of: picture.frame.pointer))
        lastShown = now
        shownCount += 1
        if !picture.isSettled, let capture = captures.capture(of: picture.time) { note(monotonicNanoseconds() &- capture) }
        return true
    }

    /// Keeps the device running; one that went away may come back.
    private mutating func lookAfterSound(_ now: Int64) {
        loudspeaker?.tick(now)
        if let gaps = gapsOfLostDevice {
            gapsBefore += gaps
            loudspeaker = nil
            nextLook = now
            news.append("\(settings.soundDevice): the sound device is gone; waiting for it to come back")
        }
        guard let due = nextLook, now >= due else { return }
        nextLook = now + 1_000_000_000
        guard let card = try? openSound(settings) else { return }
        nextLook = nil
        loudspeaker = Loudspeaker(card)
        setGain()
        news.append("\(settings.soundDevice): back again")
    }

    private var gapsOfLostDevice: UInt64? {
        switch loudspeaker {
        case .some(let loudspeaker) where loudspeaker.isGone: loudspeaker.gapCount
        default: nil
        }
    }

    /// Lines for the user, each told once.
    public mutating func takeNews() -> [String] {
        guard !news.isEmpty else { return [] }
        defer { news = [] }
        return news
    }

    /// An average over some ten pictures.
    private mutating func note(_ delay: Int64) {
        guard let before = screenDelay, abs(delay &- before) < 1_000_000_000 else { return screenDelay = delay }
        screenDelay = before + (delay - before) / 8
    }

    private static func aspect(of picture: UnsafeMutablePointer<AVFrame>) -> Double {
        let sample = Ratio(picture.pointee.sample_aspect_ratio)
        let aspect = Double(picture.pointee.width) / Double(max(1, picture.pointee.height)) * (sample.isKnown ? sample.value : 1)
        // A stranger's: no window a pixel high.
        return min(max(aspect, 0.1), 10)
    }

    private mutating func answer(_ key: PlayerKey) -> Bool {
        switch key {
        case .leave: return false
        case .pause: isPaused.toggle()
        case .mute: isMuted.toggle()
        case .louder: volume = min(100, volume + 5)
        case .quieter: volume = max(0, volume - 5)
        case .fullScreen: screen?.toggleFullScreen()
        }
        setGain()
        return true
    }

    /// The third power: half of the way sounds half as loud.
    private mutating func setGain() {
        let share = Float(volume) / 100
        loudspeaker?.gain = isMuted || isPaused ? 0 : share * share * share
    }

    /// No more packets: what the decoders hold back goes into the queue. Call `present` while `isPlaying`, then `close`.
    public mutating func finish() throws(MediaError) {
        guard !isFinished else { return }
        isFinished = true
        video?.drain()
        takePictures()
        audio?.drain()
        takeSound()
    }

    /// Whether pictures or sound still wait for their time.
    public var isPlaying: Bool {
        guard queue.isEmpty else { return true }
        switch loudspeaker {
        case .some(let loudspeaker): return loudspeaker.isPlaying(monotonicNanoseconds())
        case .none: return false
        }
    }

    public var figures: PlaybackFigures {
        var figures = PlaybackFigures()
        figures.shown = shownCount
        figures.dropped = queue.droppedCount
        figures.damaged = damagedCount
        figures.screenDelay = screenDelay
        switch loudspeaker {
        case .some(let loudspeaker) where audioIndex != nil:
            figures.gaps = gapsBefore + loudspeaker.gapCount
            figures.soundDelay = loudspeaker.isHeard ? clock.latency + loudspeaker.lateness : nil
            figures.soundSpeed = loudspeaker.speed
        default: break
        }
        return figures
    }

    /// Says a line in the window's title or below the picture.
    /// - Returns: false if there is no place for one.
    public func say(_ line: String) -> Bool { screen?.say(line) ?? false }

    /// Restores the terminal, or closes the window; without either, or in a terminal, prints the counts.
    public consuming func close() {
        let figures = figures
        screen?.close(summary: "\(figures.shown) pictures shown, \(figures.dropped) skipped, \(figures.damaged) packets damaged")
    }
}
