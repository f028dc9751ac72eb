import Foundation
import CLibAV
import LibAV
import LibAVBase
import Media
import Testing

@testable import Display

/// Sound of many kinds through the player, on a device that keeps what it is given.
@Suite struct PlayerSoundTests {
    private final class Ear: SoundDevice {
        let rate: Int32 = 48000
        let isGone = false
        private(set) var samples: [Float] = []

        private var start: Int64?

        /// What is played here is sent a second ahead of its time: it never runs dry.
        func delay() -> Int? { samples.count / 2 - Int((monotonicNanoseconds() - (start ?? monotonicNanoseconds())) * 48 / 1_000_000) }

        func write(_ samples: UnsafeBufferPointer<Float>) -> Int {
            start = start ?? monotonicNanoseconds()
            self.samples += samples
            return samples.count / 2
        }

        /// Those that are no silence.
        var heard: ArraySlice<Float> {
            guard let first = samples.firstIndex(where: { abs($0) > 0.001 }), let last = samples.lastIndex(where: { abs($0) > 0.001 }) else {
                return []
            }
            return samples[first...last]
        }
    }

    /// Files that are published one after the other.
    private func played(_ paths: String...) throws -> Ear {
        let ear = Ear()
        var settings = PlayerSettings()
        settings.output = .nothing
        settings.latency = 1_000_000_000
        var player = Player(settings) { _ in ear }
        var start = monotonicNanoseconds()
        for path in paths {
            var demuxer = try Demuxer(url: path)
            _ = try player.begin(demuxer.streams)
            let timeBase = demuxer.streams[0].timeBase
            var end: Int64 = 0
            while var packet = try demuxer.next() {
                let time = timeBase.nanoseconds(packet.decodingTime ?? 0)
                packet.captureTime = start + time
                end = time + timeBase.nanoseconds(packet.duration)
                try demuxer.withBytes { bytes throws(MediaError) in try player.write(packet, bytes) }
            }
            start += end
        }
        try player.finish()
        return ear
    }

    /// Where a packet has several frames, only the first of them has a time.
    @Test(arguments: ["pcm_s16le", "adpcm_ms", "adpcm_ima_wav"]) func allOfAPacketIsHeard(codec: String) throws {
        let scratch = try Scratch()
        let path = scratch.file("tone.wav")
        try Command.run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=1000:r=48000:d=2", "-c:a", codec, path)
        let heard = try played(path).heard
        #expect(abs(heard.count / 2 - 96000) < 4800, "\(heard.count / 2)")
        // No silence in between: a quarter of a period is the longest that a sine is near zero.
        #expect(longestRun(Array(heard)) { abs($0) < 0.001 && abs($1) < 0.001 } < 24)
    }

    /// Nothing of one is missing because another, of another kind, follows.
    @Test func aSecondPublicationFollowsAtOnce() throws {
        let scratch = try Scratch()
        let (one, other) = (scratch.file("one.wav"), scratch.file("other.wav"))
        try Command.run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=1000:r=48000:d=1.5", one)
        try Command.run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=1000:r=32000:d=1.5", other)
        let heard = try played(one, other).heard
        #expect(abs(heard.count / 2 - 144_000) < 960, "\(heard.count / 2)")
        #expect(longestRun(Array(heard)) { abs($0) < 0.001 && abs($1) < 0.001 } < 480)
    }

    /// As many as there are loudspeakers in no set-up, too, and never louder than each was.
    @Test(arguments: [1, 2, 6, 8, 9, 12, 16]) func channelsAreMixed(count: Int) throws {
        let scratch = try Scratch()
        let path = scratch.file("loud.wav")
        try wave(channels: count, value: 29000, frames: 48000).write(to: URL(fileURLWithPath: path))
        let heard = try played(path).heard
        #expect(heard.count / 2 > 43200)
        #expect((heard.max() ?? 0) > 0.3 && (heard.max() ?? 0) <= 1.05, "\(heard.max() ?? 0)")
    }

    /// A WAV file that says how many channels there are, and not which.
    private func wave(channels: Int, value: Int16, frames: Int) -> Data {
        func octets(_ value: some FixedWidthInteger) -> Data { withUnsafeBytes(of: value.littleEndian) { Data($0) } }
        let size = frames * channels * 2
        var data = Data("RIFF".utf8) + octets(UInt32(size + 36)) + Data("WAVEfmt ".utf8) + octets(UInt32(16)) + octets(UInt16(1))
        data +=
            octets(UInt16(channels)) + octets(UInt32(48000)) + octets(UInt32(96000 * channels)) + octets(UInt16(2 * channels)) + octets(UInt16(16))
        return data + Data("data".utf8) + octets(UInt32(size)) + (0..<frames * channels).reduce(into: Data()) { data, _ in data += octets(value) }
    }

    private func longestRun(_ samples: [Float], _ goesOn: (Float, Float) -> Bool) -> Int {
        var (run, longest) = (0, 0)
        for (before, sample) in zip(samples, samples.dropFirst()) {
            run = goesOn(before, sample) ? run + 1 : 0
            longest = max(longest, run)
        }
        return longest
    }
}

@Suite struct PictureQueueTests {
    private func picture(_ number: Int64) throws -> PictureQueue.Picture {
        let frame = try Frame()
        frame.pointer.pointee.width = 16
        frame.pointer.pointee.height = 16
        frame.pointer.pointee.format = 0
        try #require(av_frame_get_buffer(frame.pointer, 0) >= 0)
        return try #require(PictureQueue.Picture(frame.pointer, time: number))
    }

    /// A long latency has many wait: none of them goes before its time.
    @Test func asManyWaitAsThereIsMemoryFor() throws {
        var queue = PictureQueue()
        for number in 0..<250 { queue.append(try picture(Int64(number))) }
        #expect(queue.droppedCount == 0)
        for number in 0..<250 { #expect(queue.take(at: Int64(number), zero: 0, isWanted: true)?.time == Int64(number)) }
        #expect(queue.isEmpty)
    }

    /// Another publication begins, whose times begin anew: what waits is shown when it was due.
    @Test func whatWaitsIsDueAsItWas() throws {
        var queue = PictureQueue()
        for number in 0..<4 { queue.append(try picture(Int64(number))) }
        queue.settle(100, latest: 102)
        queue.append(try picture(0))
        #expect(queue.take(at: 100, zero: nil, isWanted: true)?.time == 0)
        #expect(queue.take(at: 102, zero: 103, isWanted: true)?.time == 2)
        #expect(queue.take(at: 102, zero: 103, isWanted: true) == nil)
        #expect(queue.take(at: 103, zero: 103, isWanted: true)?.isSettled == false)
        // One was late, and one would have held up what follows.
        #expect(queue.droppedCount == 2)
    }

    @Test func whatHasNoRoomDoesNotPushOutWhatIsDueFirst() throws {
        // 384 octets each.
        var queue = PictureQueue(limit: 384 * 40)
        for number in 0..<100 { queue.append(try picture(Int64(number))) }
        #expect(queue.droppedCount == 60)
        for number in 0..<40 { #expect(queue.take(at: Int64(number), zero: 0, isWanted: true)?.time == Int64(number)) }
        queue.append(try picture(200))
        #expect(queue.first?.time == 200)
    }
}
