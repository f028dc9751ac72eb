import Display
import LibAV
import Media
import Testing

@Suite struct PlayerTests {
    /// Pictures that all come at once, faster than their time: each is decoded, and shown or counted.
    @Test func everyPictureIsAccountedFor() throws {
        let scratch = try Scratch()
        var demuxer = try Demuxer(url: try Fixture.bFrames(in: scratch))
        var player = try Player(streams: demuxer.streams, output: .nothing, sound: false)
        while let packet = try demuxer.next() {
            try demuxer.withBytes { bytes throws(MediaError) in try player.write(packet, bytes) }
        }
        try player.finish()
        while player.isPlaying { #expect(try player.present()) }
        #expect(player.shownCount + player.droppedCount == 75)
        #expect(player.shownCount > 0)
        #expect(player.damagedCount == 0)
    }

    /// The decoder gets a stranger's bytes: they are counted, and it goes on.
    @Test func noiseIsDamageNotDeath() throws {
        var demuxer = try Demuxer(url: Fixture.bunny)
        var player = try Player(streams: demuxer.streams, output: .nothing, sound: false)
        let noise = (0..<4000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
        for time in 0..<20 {
            var packet = CodedPacket(stream: 0, pts: Int64(time) * 512, dts: Int64(time) * 512)
            packet.isKey = true
            try player.write(packet, noise.span.bytes)
        }
        #expect(player.damagedCount > 0)
        while let packet = try demuxer.next() {
            try demuxer.withBytes { bytes throws(MediaError) in try player.write(packet, bytes) }
        }
        try player.finish()
        while player.isPlaying { #expect(try player.present()) }
        #expect(player.shownCount > 0)
    }

    @Test func unknownCodecsAreNamed() {
        let stream = StreamDescription(
            index: 0, kind: .video(.init(width: 16, height: 16, pixelFormat: "yuv420p")), codec: "nonsense", timeBase: .millisecond)
        let error = #expect(throws: MediaError.self) { _ = try Player(streams: [stream], output: .nothing) }
        #expect(error?.code == .unsupportedCodec)
        #expect(error?.object == "nonsense")
    }
}
