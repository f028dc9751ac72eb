import Display
import Glibc
package import Media

/// Shows a publication in a window, or in the terminal where there is no display. For the process's first thread.
package struct PlayerSink: ~Copyable, ConsumerSink {
    private let title: String
    private let sound: Bool
    private let stop: StopFlag
    private var player: Player?

    package init(title: String, sound: Bool, stop: StopFlag) {
        self.title = title
        self.sound = sound
        self.stop = stop
    }

    package mutating func begin(_ streams: [StreamDescription]) throws(MediaError) {
        try finish()
        let player = try Player(streams: streams, title: title, sound: sound)
        for note in player.notes { say(note) }
        self.player = consume player
    }

    package mutating func write(_ packet: CodedPacket, _ bytes: RawSpan) throws(MediaError) {
        try player?.write(packet, bytes)
    }

    package mutating func tick() throws(MediaError) -> SinkTick {
        guard let isWanted = try player?.present() else { return SinkTick() }
        // The user's keys and the window's wishes want an ear also where no picture waits.
        let soon = monotonicNanoseconds() + 50_000_000
        return SinkTick(next: min(player?.nextDue ?? soon, soon), isOver: !isWanted)
    }

    /// Shows what still waits, unless somebody asked to stop.
    package mutating func finish() throws(MediaError) {
        guard player != nil else { return }
        try player?.finish()
        while !stop.isRaised, player?.isPlaying ?? false, try player?.present() ?? false { usleep(5000) }
        player.take()?.close()
    }
}
