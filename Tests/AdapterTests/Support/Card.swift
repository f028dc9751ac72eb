import TestSupport

@testable import Display

/// A card that plays faster or slower than it says, tells its delay in steps of a period, and holds so many frames.
final class Card: SoundDevice {
    let rate: Int32 = 48000
    let isGone = false
    let trueRate: Double
    let capacity: Int
    var now: Int64 = 0
    private var random: SeededRandom
    private var written: Double = 0
    private var start: Int64?
    /// What it was given: how much of it is sound, and in how many stretches.
    private(set) var soundCount = 0
    private(set) var stretchCount = 0
    private var endsInSound = false
    private(set) var dryCount = 0

    init(drift: Double, capacity: Int = .max, seed: UInt64) {
        self.capacity = capacity
        trueRate = 48000 * (1 + drift)
        random = SeededRandom(seed)
    }

    private var played: Double { start.map { Double(now - $0) * trueRate / 1e9 } ?? 0 }
    /// Frames that are still to be played, exactly.
    var queued: Double { written - played }

    func delay() -> Int? {
        if queued < 0 {
            dryCount += 1
            start = nil
            written = 0
            return nil
        }
        // A period of 5 ms, seen at any moment of it.
        return max(0, Int(queued) + Int.random(in: -120...120, using: &random))
    }

    func write(_ samples: UnsafeBufferPointer<Float>) -> Int {
        if start == nil { start = now }
        let count = min(samples.count / 2, capacity - Int(max(0, queued)))
        written += Double(count)
        // Where it holds all, only the first test's clocks matter, and there are many samples.
        for index in 0..<(capacity == .max ? 0 : count) {
            let isSound = samples[2 * index] != 0
            if isSound { soundCount += 1 }
            if isSound && !endsInSound { stretchCount += 1 }
            endsInSound = isSound
        }
        return count
    }
}
