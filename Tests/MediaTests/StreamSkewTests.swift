import Media
import Testing

/// How much later pictures are than their sound.
@Suite struct StreamSkewTests {
    private let streams = [Sample.video, Sample.audio(index: 1), Sample.audio(index: 2)]

    private func time(_ milliseconds: Int64, of stream: Int) -> Int64 {
        streams[stream].timeBase.ticks(milliseconds, from: Sample.milliseconds)
    }

    /// Notes pictures that are taken `late` ms after their sound.
    private func note(_ skew: inout StreamSkew, from start: Int64, to end: Int64, late: Int64, at now: Int64) {
        for moment in stride(from: start, to: end, by: 40) {
            skew.note(Sample.packet(1, time(moment, of: 1)), taken: (now + moment) * 1_000_000)
            skew.note(Sample.packet(0, time(moment, of: 0)), taken: (now + moment + late) * 1_000_000)
        }
    }

    @Test func tellsWhatIsLater() throws {
        for late in [-80, 0, 35] as [Int64] {
            var skew = StreamSkew(of: streams)
            #expect(skew.value == nil)
            note(&skew, from: 0, to: 4000, late: late, at: 500_000)
            let value = try #require(skew.value)
            // Ticks round.
            #expect(abs(value - late * 1_000_000) < 200_000, "\(value)")
        }
    }

    @Test func onePacketThatIsLateSaysLittle() throws {
        var skew = StreamSkew(of: streams)
        note(&skew, from: 0, to: 4000, late: 0, at: 0)
        skew.note(Sample.packet(0, time(4000, of: 0)), taken: 4_160 * 1_000_000)
        let value = try #require(skew.value)
        #expect(abs(value) < 20_000_000)
    }

    /// A film that begins again: its pictures are first, and no skew is made of what the sound still had.
    @Test func aJumpIsNoSkew() throws {
        var skew = StreamSkew(of: streams)
        note(&skew, from: 0, to: 4000, late: 10, at: 0)
        skew.note(Sample.packet(0, 0), taken: 4_010 * 1_000_000)
        #expect(skew.value == nil)
        note(&skew, from: 40, to: 400, late: 10, at: 4000)
        let value = try #require(skew.value)
        #expect(abs(value - 10_000_000) < 200_000)
    }

    @Test func otherStreamsAndAnyNumbersAreBorne() {
        var skew = StreamSkew(of: streams)
        note(&skew, from: 0, to: 400, late: 0, at: 0)
        let before = skew.value
        skew.note(Sample.packet(2, 77), taken: 1)
        skew.note(CodedPacket(stream: 0, pts: nil, dts: nil), taken: 1)
        #expect(skew.value == before)
        for time in [Int64.min + 1, -1, 0, .max] {
            for taken in [Int64.min, 0, .max] {
                for stream in 0...3 { skew.note(Sample.packet(stream, time), taken: taken) }
            }
        }
        var silent = StreamSkew(of: [])
        silent.note(Sample.packet(0, 0), taken: 0)
        #expect(silent.value == nil)
    }
}
