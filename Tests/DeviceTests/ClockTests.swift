import Media
import Testing

@testable import ALSA
@testable import V4L2

/// What drivers' sequence numbers and times become.
struct ClockTests {
    private let second: Int64 = 1_000_000_000

    @Test func aGapInTheNumbersIsPicturesLost() {
        var clock = FrameClock()
        #expect(clock.packet(7, time: 5 * second, now: 5 * second).lost == 0)
        let next = clock.packet(8, time: 6 * second, now: 6 * second)
        #expect(!next.isDiscontinuity && next.captureTime == 6 * second && next.pts == 6_000_000)
        let late = clock.packet(12, time: 7 * second, now: 7 * second)
        #expect(late.lost == 3 && late.isDiscontinuity)
    }

    @Test func aBrokenBufferIsAPictureLost() {
        var clock = FrameClock()
        _ = clock.packet(0, time: second, now: second)
        clock.skip(1)
        clock.skip(3)
        #expect(clock.packet(4, time: 2 * second, now: 2 * second).lost == 3)
    }

    @Test func aNewStartIsAPictureLostAndARestIsNone() {
        var clock = FrameClock()
        _ = clock.packet(7, time: second, now: second)
        clock.interrupt()
        let anew = clock.packet(0, time: 2 * second, now: 2 * second)
        #expect(anew.isDiscontinuity && anew.lost == 1)
        clock.restart()
        let rested = clock.packet(0, time: 9 * second, now: 9 * second)
        #expect(!rested.isDiscontinuity && rested.lost == 0)
    }

    @Test func numbersMayWrapStandStillAndGoBack() {
        var clock = FrameClock()
        _ = clock.packet(.max, time: second, now: second)
        #expect(clock.packet(0, time: 2 * second, now: 2 * second).lost == 0)
        #expect(!clock.packet(0, time: 3 * second, now: 3 * second).isDiscontinuity)
        _ = clock.packet(100, time: 4 * second, now: 4 * second)
        let anew = clock.packet(3, time: 5 * second, now: 5 * second)
        #expect(anew.isDiscontinuity && anew.lost == 0)
    }

    @Test func aTimeFarFromNowIsNotBelievedAndNoneGoesBack() {
        var clock = FrameClock()
        let now = 100 * second
        #expect(clock.packet(0, time: now - second / 10, now: now).captureTime == now - second / 10)
        let wrapped = clock.packet(1, time: -(1 << 40), now: now + second)
        #expect(wrapped.captureTime == now + second && wrapped.isDiscontinuity)
        #expect(clock.packet(2, time: nil, now: now + 2 * second).isDiscontinuity == false)
        let back = clock.packet(3, time: now + second, now: now + 2 * second)
        #expect(back.captureTime ?? 0 > now + 2 * second)
    }

    @Test func periodsCountFramesWithoutJitter() {
        var clock = SampleClock(rate: 48000, period: 480)
        let first = clock.packet(captured: second)
        let next = clock.packet(captured: second + 10_400_000)
        #expect(first.pts == 48000 && next.pts == 48480 && next.duration == 480 && !next.isDiscontinuity)
        #expect(next.captureTime == second + 10_400_000)
    }

    /// Of a card that counts faster or slower than this machine's clock, and has done so for long.
    @Test(arguments: [48_048.0, 47_952.0]) func anXrunOfACardThatDriftsIsWhatIsMissing(hertz: Double) {
        var clock = SampleClock(rate: 48000, period: 480)
        let captured = { (period: Int) in second + Int64(Double(period) * 480 / hertz * 1e9) }
        for period in 0..<100_000 { _ = clock.packet(captured: captured(period)) }
        clock.interrupt()
        let after = clock.packet(captured: captured(100_005))
        #expect(after.lost == 5 && after.pts.map { abs($0 - (48000 + 480 * 100_005)) <= 3 } == true)
    }

    @Test func anXrunIsThePeriodsThatTheClockSays() {
        var clock = SampleClock(rate: 48000, period: 480)
        _ = clock.packet(captured: second)
        clock.interrupt()
        let after = clock.packet(captured: second + 60_000_000)
        #expect(after.lost == 5 && after.isDiscontinuity && after.pts == 48000 + 2880)
        #expect(clock.packet(captured: second + 70_000_000).lost == 0)
        clock.interrupt()
        // Less than half a period, and lost all the same.
        #expect(clock.packet(captured: second + 80_100_000).lost == 1)
    }
}
