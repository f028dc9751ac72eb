package import Display
import Glibc
package import Media

/// Shows a publication in a window, or in the terminal where there is no display. For the process's first thread.
package struct PlayerSink: ~Copyable, ConsumerSink {
    private var player: Player?
    private let settings: PlayerSettings
    private let stop: StopFlag
    private let showsStatistics: Bool
    /// When to say them next, nanoseconds on CLOCK_MONOTONIC, and the pictures shown until then.
    private var nextStatistics: Int64 = 0
    private var shownBefore: UInt64 = 0

    /// - Parameter showsStatistics: each second, beside the picture or on standard error.
    package init(_ settings: PlayerSettings, showsStatistics: Bool = false, stop: StopFlag) {
        self.settings = settings
        self.showsStatistics = showsStatistics
        self.stop = stop
    }

    package mutating func begin(_ streams: [StreamDescription]) throws(MediaError) {
        // The window stays, and with it what the user has set, and what has yet to be shown.
        var player = player.take() ?? Player(settings)
        let notes = try player.begin(streams)
        for note in notes { say(note) }
        self.player = consume player
    }

    package mutating func write(_ packet: CodedPacket, _ bytes: RawSpan) throws(MediaError) {
        try player?.write(packet, bytes)
    }

    package mutating func tick() throws(MediaError) -> SinkTick {
        guard let isWanted = try player?.present() else { return SinkTick() }
        for line in player?.takeNews() ?? [] { say(line) }
        let now = monotonicNanoseconds()
        if showsStatistics, now >= nextStatistics { tell(now) }
        // The user's keys want an ear, and the sound card something to play, also where no picture waits.
        let soon = now + 10_000_000
        return SinkTick(next: min(player?.nextDue ?? soon, soon), isOver: !isWanted)
    }

    private mutating func tell(_ now: Int64) {
        guard let figures = player?.figures else { return }
        if nextStatistics > 0 {
            let line = figures.line(since: shownBefore)
            if player?.say(line) != true || isatty(standardError) == 0 { say(line) }
        }
        nextStatistics = now + 1_000_000_000
        shownBefore = figures.shown
    }

    /// Shows what still waits, unless somebody asked to stop.
    private mutating func showRest() throws(MediaError) {
        try player?.finish()
        while !stop.isRaised, player?.isPlaying ?? false, try player?.present() ?? false { usleep(2000) }
    }

    package mutating func finish() throws(MediaError) {
        try showRest()
        player.take()?.close()
    }
}

extension PlaybackFigures {
    /// `25 pictures/s, 0 late, 100.4 ms to the screen, 100.1 ms to the ear, skew 0.3 ms, sound +12 ppm, 0 gaps`
    fileprivate func line(since shownBefore: UInt64) -> String {
        func milliseconds(_ time: Int64) -> String { "\((Double(time) / 1e6).rounded(to: 1)) ms" }
        var parts = ["\(shown - shownBefore) pictures/s", "\(dropped) late"]
        if let screenDelay { parts.append("\(milliseconds(screenDelay)) to the screen") }
        if let soundDelay { parts.append("\(milliseconds(soundDelay)) to the ear") }
        if let skew { parts.append("skew \(milliseconds(skew))") }
        if soundDelay != nil {
            let rate = Int((soundSpeed * 1e6).rounded())
            parts.append("sound \(rate < 0 ? "" : "+")\(rate) ppm, \(gaps) gaps")
        }
        return parts.joined(separator: ", ")
    }
}
