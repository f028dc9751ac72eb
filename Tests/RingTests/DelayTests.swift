import CIPN
import IPNRing
import Testing
import TestSupport

/// Delays in buckets that grow with them.
@Suite struct DelayTests {
    private static let last = Int(IPN_DELAY_BUCKETS) - 1

    @Test func eachBucketBeginsWhereTheOneBeforeEnds() {
        #expect(DelayTally.start(of: 0) == 0 && DelayTally.start(of: 1) == 1024)
        for bucket in 1...Self.last {
            let start = DelayTally.start(of: bucket)
            #expect(DelayTally.bucket(of: start) == bucket)
            #expect(DelayTally.bucket(of: start - 1) == bucket - 1)
            #expect(bucket == 1 || Double(start) / Double(DelayTally.start(of: bucket - 1)) <= 1.25, "a quarter at most")
        }
        #expect(DelayTally.bucket(of: .max) == Self.last)
    }

    @Test func everyDelayIsCountedOnce() {
        let memory = PlainMemory(MemoryLayout<ipn_delays>.size)
        let tally = DelayTally(base: memory.base)
        var random = SeededRandom(3)
        var expected = Array(repeating: UInt64(0), count: Self.last + 1)
        var sum: UInt64 = 0
        for _ in 0..<10_000 {
            let delay = Int64.random(in: 0...(1 << Int64.random(in: 1...62, using: &random)), using: &random)
            tally.note(delay)
            expected[DelayTally.bucket(of: UInt64(delay))] += 1
            sum &+= UInt64(delay)
        }
        #expect((0...Self.last).map { tally.count($0).load() } == expected)
        #expect(tally.sum.load() == sum)
    }

    @Test func noDelayTraps() {
        let memory = PlainMemory(MemoryLayout<ipn_delays>.size)
        let tally = DelayTally(base: memory.base)
        tally.sum.store(.max)
        tally.count(0).store(.max)
        for delay in [Int64.min, -1, 0, 1023, .max] { tally.note(delay) }
        #expect(tally.count(0).load() == 3 && tally.count(Self.last).load() == 1)
    }
}
