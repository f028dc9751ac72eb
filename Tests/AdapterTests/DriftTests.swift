import CLibAV
import LibAVBase
import Testing
import TestSupport

@testable import Display

/// Sound cards whose crystals differ from the sender's clock: simulated, with everything but the card as it is.
@Suite struct DriftTests {
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
        var loudspeaker = Loudspeaker(card)
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

    /// Sends frames of 2048 samples, each in its time, looks after the card every 10 ms, and goes on until all has been heard.
    /// - Parameter pause: milliseconds in which nobody looks, before the frame in the middle.
    private func play(_ frameCount: Int64, latency: Int64, on card: Card, by loudspeaker: inout Loudspeaker, pause: Int64 = 10) throws {
        let frame = try frame(of: 0.5, count: 2048)
        for count in 0..<frameCount {
            let time = count * 2048 * 1_000_000_000 / 48000
            while card.now < time {
                let isPause = count == frameCount / 2 && card.now + 10_000_000 >= time
                card.now += (isPause ? pause : 10) * 1_000_000
                loudspeaker.tick(card.now)
            }
            loudspeaker.play(frame.pointer, time: time, due: time + latency, now: card.now)
        }
        while loudspeaker.isPlaying(card.now) {
            card.now += 10_000_000
            loudspeaker.tick(card.now)
        }
    }

    /// The player did not get the processor: what the card lacked is missing and no more, and the rest is heard when it is due.
    @Test(arguments: [400, 50]) func aCardThatRanDryGoesOnInTime(missing: Int64) throws {
        let card = Card(drift: 0, capacity: 9600, seed: 5)
        var loudspeaker = Loudspeaker(card)
        // The card has 200 ms.
        try play(200, latency: 2_000_000_000, on: card, by: &loudspeaker, pause: missing + 200)
        #expect(card.dryCount == 1 && loudspeaker.gapCount == 1)
        #expect(abs(200 * 2048 - card.soundCount - Int(missing) * 48) < 2048, "\(200 * 2048 - card.soundCount) are missing")
    }

    /// An HDA card holds 330 ms, cheap USB cards less: what a longer latency has ahead waits for room, and each sample is heard.
    @Test(arguments: [2400, 15840]) func aCardThatHoldsLessThanTheLatency(capacity: Int) throws {
        let card = Card(drift: 0, capacity: capacity, seed: 3)
        var loudspeaker = Loudspeaker(card)
        try play(100, latency: 300_000_000, on: card, by: &loudspeaker)
        // The resampler still has its last samples.
        #expect(abs(card.soundCount - 100 * 2048) < 200)
        #expect(card.stretchCount == 1)
        #expect(card.dryCount == 0 && loudspeaker.gapCount == 0 && loudspeaker.alignmentCount == 1)
    }

    /// Packets of FLAC may last two seconds: what it measures once is not answered by more than that.
    @Test(arguments: [0.02, 0.5, 2.05]) func theLoopSettles(seconds: Double) {
        var loop = RateLoop()
        var (late, speed) = (0.01, 0.0)
        for _ in 0..<Int(120 / seconds) {
            late -= speed * seconds
            speed = loop.update(error: late, after: seconds)
        }
        #expect(abs(late) < 0.0005 && abs(speed) < 0.0005, "\(late) s, \(speed)")
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
