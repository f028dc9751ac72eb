import LibAV
import Media
import Testing

@testable import Display

@Suite struct PlayerTests {
    private func silentPlayer(_ streams: [StreamDescription]) throws -> Player {
        var settings = PlayerSettings()
        settings.output = .nothing
        settings.sound = false
        var player = Player(settings)
        #expect(try player.begin(streams) == [])
        return player
    }

    /// Pictures that all come at once, faster than their time: each is decoded, and shown or counted.
    @Test func everyPictureIsAccountedFor() throws {
        let scratch = try Scratch()
        var demuxer = try Demuxer(url: try Fixture.bFrames(in: scratch))
        var player = try silentPlayer(demuxer.streams)
        while let packet = try demuxer.next() {
            try demuxer.withBytes { bytes throws(MediaError) in try player.write(packet, bytes) }
        }
        try player.finish()
        while player.isPlaying { #expect(try player.present()) }
        #expect(player.figures.shown + player.figures.dropped == 75)
        #expect(player.figures.shown > 0)
        #expect(player.figures.damaged == 0)
    }

    /// The decoder gets a stranger's bytes: they are counted, and it goes on.
    @Test func noiseIsDamageNotDeath() throws {
        var demuxer = try Demuxer(url: Fixture.bunny)
        var player = try silentPlayer(demuxer.streams)
        let noise = (0..<4000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
        for time in 0..<20 {
            var packet = CodedPacket(stream: 0, pts: Int64(time) * 512, dts: Int64(time) * 512)
            packet.isKey = true
            try player.write(packet, noise.span.bytes)
        }
        #expect(player.figures.damaged > 0)
        while let packet = try demuxer.next() {
            try demuxer.withBytes { bytes throws(MediaError) in try player.write(packet, bytes) }
        }
        try player.finish()
        while player.isPlaying { #expect(try player.present()) }
        #expect(player.figures.shown > 0)
    }

    @Test func unknownCodecsAreNamed() {
        let stream = StreamDescription(
            index: 0, kind: .video(.init(width: 16, height: 16, pixelFormat: "yuv420p")), codec: "nonsense", timeBase: .millisecond)
        let error = #expect(throws: MediaError.self) { _ = try silentPlayer([stream]) }
        #expect(error?.code == .unsupportedCodec)
        #expect(error?.object == "nonsense")
    }
}

/// What a terminal sends for keys.
@Suite struct KeyboardTests {
    @Test func keysAreWhatOthersHave() {
        let text = "q m09f\u{1b}[A\u{1b}[B\u{1b}OC\u{1b}OD\u{1b}[15~x\u{1b}"
        let keys: [PlayerKey] = [
            .leave, .pause, .mute, .louder, .quieter, .fullScreen, .louder, .quieter, .louder, .quieter, .leave,
        ]
        #expect(Keyboard.keys(Array(text.utf8)[...]) == keys)
    }
}
