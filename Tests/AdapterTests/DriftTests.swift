import CLibAV
import LibAVBase
import Testing
import TestSupport

@testable import Display

/// Sound cards whose crystals differ from the sender's clock: simulated, with everything but the card as it is.
@Suite struct DriftTests {
    /// A card that plays faster or slower than it says, tells its delay in steps of a period, and holds so many frames.
    private final class Card: SoundDevice {
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

    /// Stereo floats, all of one value.
    private func frame(of value: Float, count: Int32) throws -> Frame {
        let frame = try Frame()
        frame.pointer.pointee.nb_samples = count
        frame.pointer.pointee.sample_rate = 48000
        frame.pointer.pointee.format = AV_SAMPLE_FMT_FLTP.rawValue
        clibav_layout_stereo(&frame.pointer.pointee.ch_layout)
        try #require(av_frame_get_buffer(frame.pointer, 0) >= 0)
        for channel in 0..<2 {
            frame.pointer.pointee.extended_data[channel]?.withMemoryRebound(to: Float.self, capacity: Int(count)) {
                $0.update(repeating: value, count: Int(count))
            }
        }
        return frame
    }

    /// 10 minutes at 0.1 % and more: what is heard stays within 2 ms of its time, and nothing runs dry or is cut.
    @Test(arguments: [-0.001, 0, 0.001, 0.003]) func driftIsFollowed(drift: Double) throws {
        let card = Card(drift: drift, seed: 7)
        let latency: Int64 = 100_000_000
        var loudspeaker = Loudspeaker(card, latency: latency)
        let frame = try frame(of: 0, count: 1024)
        var random = SeededRandom(11)
        var worst: Int64 = 0
        for count in 0..<Int64(600 * 48000 / 1024) {
            let time = count * 1024 * 1_000_000_000 / 48000
            // Each packet a little late, as processes wake up; the card's silence is topped up meanwhile.
            card.now = time + Int64.random(in: 0...3_000_000, using: &random)
            loudspeaker.tick(card.now)
            loudspeaker.play(frame.pointer, time: time, due: time + latency, now: card.now)
            let heard = card.now + Int64(card.queued * 1e9 / card.trueRate)
            let wanted = time + 1024 * 1_000_000_000 / 48000 + latency - loudspeaker.heldBack
            // The first seconds begin with what the card said once, and learn the drift.
            if time > 10_000_000_000 { worst = max(worst, abs(heard - wanted)) }
        }
        #expect(worst < 2_000_000, "\(Double(worst) / 1e6) ms")
        #expect(card.dryCount == 0 && loudspeaker.gapCount == 0)
        #expect(loudspeaker.alignmentCount == 1)
        #expect(abs(loudspeaker.speed + drift) < 0.0005)
    }

    /// An HDA card holds 330 ms, cheap USB cards less: what a longer latency has ahead waits for room, and each sample is heard.
    @Test(arguments: [2400, 15840]) func aCardThatHoldsLessThanTheLatency(capacity: Int) throws {
        let card = Card(drift: 0, capacity: capacity, seed: 3)
        let latency: Int64 = 300_000_000
        var loudspeaker = Loudspeaker(card, latency: latency)
        let frame = try frame(of: 0.5, count: 2048)
        let length: Int64 = 2048 * 1_000_000_000 / 48000
        for count in 0..<Int64(100) {
            let time = count * length
            while card.now < time {
                card.now += 10_000_000
                loudspeaker.tick(card.now)
            }
            loudspeaker.play(frame.pointer, time: time, due: time + latency, now: card.now)
        }
        while loudspeaker.isPlaying(card.now) {
            card.now += 10_000_000
            loudspeaker.tick(card.now)
        }
        // The resampler still has its last samples.
        #expect(abs(card.soundCount - 100 * 2048) < 200)
        #expect(card.stretchCount == 1)
        #expect(card.dryCount == 0 && loudspeaker.gapCount == 0 && loudspeaker.alignmentCount == 1)
    }

    @Test func withoutTheLoopItWouldDriftAway() {
        // What the test above would see: 0.1 % of 10 minutes are 600 ms.
        var loop = RateLoop()
        let first = loop.update(error: 0.001, after: 0.02)
        #expect(first > 0)
        var later = first
        for _ in 0..<1000 { later = loop.update(error: 0.001, after: 0.02) }
        #expect(later > first && later <= 0.005)
    }
}
