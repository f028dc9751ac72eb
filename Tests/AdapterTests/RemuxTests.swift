import LibAV
import Media
import Testing

/// What comes out of a file, through the bus's messages and into another file, is what was in it.
@Suite struct RemuxTests {
    private func remux(_ input: String, _ output: String, skip: Int = 0) throws {
        var demuxer = try Demuxer(url: input)
        let recorder = Recorder()
        _ = try Pump.through(&demuxer, skip: skip) {
            try recorder.open(output, $0)
        } packet: {
            try recorder.write($0, $1)
        }
        try recorder.finish()
    }

    @Test func mp4KeepsEveryTimeStampAndOctet() throws {
        let scratch = try Scratch()
        for input in [Fixture.bunny, try Fixture.bFrames(in: scratch)] {
            let output = scratch.file("out-\(input.split(separator: "/").last!)")
            try remux(input, output)
            for stream in 0...1 {
                let before = try FrameCRC(input, stream: stream)
                #expect(before.packets.count > 70)
                #expect(try FrameCRC(output, stream: stream) == before, "\(input) \(stream)")
            }
        }
    }

    /// What other containers make of time stamps is theirs (mkv knows milliseconds, and nothing below zero): it
    /// has to be what ffmpeg's own remuxing gets.
    @Test(arguments: ["mkv", "nut", "mov"]) func othersAreAsFFmpegWritesThem(container: String) throws {
        let scratch = try Scratch()
        for (position, input) in [Fixture.bunny, try Fixture.bFrames(in: scratch)].enumerated() {
            let output = scratch.file("\(position).\(container)")
            let reference = scratch.file("reference-\(position).\(container)")
            try remux(input, output)
            try Command.run("ffmpeg", "-v", "error", "-i", input, "-map", "0", "-c", "copy", reference)
            for stream in 0...1 {
                let before = try FrameCRC(reference, stream: stream)
                #expect(before.packets.count > 70)
                #expect(try FrameCRC(output, stream: stream) == before, "\(position) \(stream)")
            }
        }
    }

    @Test func mkvKeepsTimesToTheMillisecond() throws {
        let scratch = try Scratch()
        let output = scratch.file("out.mkv")
        try remux(Fixture.bunny, output)
        for stream in 0...1 {
            let before = try FrameCRC(Fixture.bunny, stream: stream)
            let after = try FrameCRC(output, stream: stream)
            #expect(after.contents == before.contents)
            #expect(after.milliseconds == before.milliseconds)
        }
    }

    @Test func transportStreamPlays() throws {
        let scratch = try Scratch()
        let output = scratch.file("out.ts")
        try remux(Fixture.bunny, output)
        let frames = try Command.run(
            "ffprobe", "-v", "error", "-count_frames", "-select_streams", "v", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", output)
        #expect(frames.hasPrefix("132"))
    }

    @Test func joinedInMidStreamBeginsAtZero() throws {
        let scratch = try Scratch()
        let input = try Fixture.bFrames(in: scratch)
        let output = scratch.file("late.mkv")
        // Past the first key frame: the gate waits for the second.
        try remux(input, output, skip: 30)
        let starts = try Command.run("ffprobe", "-v", "error", "-show_entries", "stream=start_time", "-of", "csv=p=0", output)
            .split(separator: "\n").compactMap { Double($0) }
        #expect(starts.count == 2)
        #expect(starts.allSatisfy { (0..<0.2).contains($0) })
        let video = try FrameCRC(output, stream: 0)
        let all = try FrameCRC(input, stream: 0)
        #expect(video.contents == Array(all.contents.suffix(video.contents.count)))
        #expect(video.contents.count == 50)
        try Command.run("ffmpeg", "-v", "error", "-xerror", "-i", output, "-f", "null", "-")
    }

    @Test func loopRisesAndPlays() throws {
        let scratch = try Scratch()
        let input = try Fixture.bFrames(in: scratch)
        let once = try FrameCRC(input, stream: 0).contents
        var demuxer = try Demuxer(url: input, loops: true)
        var muxer = try Muxer(url: scratch.file("loop.mp4"), streams: demuxer.streams)
        var last: [Int: Int64] = [:]
        var pictures = 0
        while pictures < 3 * once.count {
            let packet = try #require(try demuxer.next())
            if packet.stream == 0 { pictures += 1 }
            if let before = last[packet.stream] { #expect(packet.dts! > before) }
            last[packet.stream] = packet.dts!
            try demuxer.withBytes { bytes throws(MediaError) in try muxer.write(packet, bytes) }
        }
        try muxer.finish()
        #expect(try FrameCRC(scratch.file("loop.mp4"), stream: 0).contents == once + once + once)
    }
}
