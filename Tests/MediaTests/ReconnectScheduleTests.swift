import Media
import Testing

/// When a lost connection is tried again.
@Suite struct ReconnectScheduleTests {
    /// The same pauses in each run.
    private struct Seeded: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func pausesGrowToHalfAMinute(seed: UInt64) throws {
        var generator = Seeded(state: seed)
        var schedule = ReconnectSchedule()
        var now: Int64 = 0
        for most in [0.5, 1, 2, 4, 8, 16, 30, 30, 30] {
            let next = try #require(schedule.failed(at: now, using: &generator))
            let pause = Double(next - now) / 1e9
            #expect(most / 2 <= pause && pause <= most, "\(pause) of \(most)")
            now = next
        }
    }

    @Test func limitCountsEachOutage() {
        var generator = Seeded(state: 4)
        var schedule = ReconnectSchedule(limit: 2)
        for _ in 1...3 {
            schedule.connected(at: 0)
            #expect(schedule.failed(at: 1, using: &generator) != nil)
            #expect(schedule.failed(at: 2, using: &generator) != nil)
        }
        #expect(schedule.failed(at: 3, using: &generator) == nil)
        var never = ReconnectSchedule(limit: 0)
        #expect(never.failed(at: 0, using: &generator) == nil)
    }

    /// Only a connection that has lasted begins with short pauses again.
    @Test func whoIsThrownOutAtOnceDoesNotHammer() throws {
        var generator = Seeded(state: 5)
        var schedule = ReconnectSchedule()
        var now: Int64 = 0
        for _ in 1...10 {
            schedule.connected(at: now)
            now = try #require(schedule.failed(at: now + 1_000_000, using: &generator))
        }
        schedule.connected(at: now)
        #expect(try #require(schedule.failed(at: now + 1, using: &generator)) - now > 14_000_000_000)
        schedule.connected(at: now)
        now += ReconnectSchedule.longest
        #expect(try #require(schedule.failed(at: now, using: &generator)) - now <= ReconnectSchedule.shortest)
    }
}
