import Media
import Testing

@Suite struct MediaClockTests {
    private let second: Int64 = 1_000_000_000
    private let video = TimeBase(1, 90000)!
    private let audio = TimeBase(1, 48000)!

    @Test func streamsShareOneClock() {
        var clock = MediaClock()
        #expect(clock.due(900_000, video, now: 5) == 5)
        #expect(clock.due(990_000, video, now: 6) == 5 + second)
        #expect(clock.due(48000 * 12, audio, now: 7) == 5 + 2 * second)
    }

    @Test func jumpsAndLongDelaysBeginAnew() {
        var clock = MediaClock()
        _ = clock.due(0, video, now: 0)
        #expect(clock.due(90000 * 12, video, now: second) == second)
        #expect(clock.due(90000 * 13, video, now: second) == 2 * second)
        #expect(clock.due(0, video, now: 3 * second) == 3 * second)
        // A little late is late, and may catch up; too late is a new beginning.
        #expect(clock.due(90000, video, now: 4 * second + second / 2) == 4 * second)
        #expect(clock.due(2 * 90000, video, now: 9 * second) == 9 * second)
    }

    @Test func ticksRoundToTheNearest() {
        #expect(TimeBase.millisecond.ticks(512, from: TimeBase(1, 12800)!) == 40)
        #expect(TimeBase.millisecond.ticks(1024, from: audio) == 21)
        #expect(TimeBase.millisecond.ticks(-1024, from: audio) == -21)
        #expect(TimeBase(1, 2)!.ticks(250, from: .millisecond) == 1)
        #expect(TimeBase(1, 2)!.ticks(-250, from: .millisecond) == -1)
        #expect(TimeBase(0, 1) == nil && TimeBase(1, -1) == nil)
    }
}
