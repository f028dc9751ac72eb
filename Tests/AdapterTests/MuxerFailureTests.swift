import Foundation
import LibAV
import Media
import Testing

/// What cannot be written is refused with a reason, and leaves nothing behind.
@Suite struct MuxerFailureTests {
    private func streams() throws -> [StreamDescription] { try Demuxer(url: Fixture.bunny).streams }

    private func failure(_ url: String, format: String? = nil, options: [(key: String, value: String)] = []) throws -> MediaError {
        let streams = try streams()
        return try #require(throws: MediaError.self) {
            var muxer = try Muxer(url: url, format: format, streams: streams, options: options, ioTimeout: 3_000_000_000)
            var demuxer = try Demuxer(url: Fixture.bunny)
            while let packet = try demuxer.next() {
                try demuxer.withBytes { bytes throws(MediaError) in try muxer.write(packet, bytes) }
            }
            try muxer.finish()
        }
    }

    @Test func webmCannotHoldH264() throws {
        let scratch = try Scratch()
        let error = try failure(scratch.file("out.webm"))
        #expect(error.code == .unsupportedCodec)
        #expect(error.what.contains("webm") && error.what.contains("h264"))
        #expect(try scratch.names() == [])
    }

    /// libavformat would write anything into a transport stream, and nobody could read it again. A live one goes without what has
    /// a substitute; a recording is refused.
    @Test func transportStreamsTakeWhatIsKnownInThem() throws {
        let scratch = try Scratch()
        let coded = try streams()
        var raw = StreamDescription(index: 2, kind: coded[0].kind, codec: "rawvideo", timeBase: coded[0].timeBase)
        let subtitles = StreamDescription(index: 3, kind: .subtitle, codec: "subrip", timeBase: TimeBase(1, 1000)!)
        for url in ["udp://127.0.0.1:9", scratch.file("out.m3u8")] {
            #expect(try Muxer(url: url, streams: coded + [raw, subtitles]).streams == coded, "\(url)")
        }
        raw.index = 0
        let file = scratch.file("out.ts")
        for (url, streams) in [("udp://127.0.0.1:9", [raw, coded[1]]), (file, [raw]), (file, coded + [subtitles])] {
            let error = try #require(throws: MediaError.self) { _ = try Muxer(url: url, streams: streams) }
            #expect(error.code == .unsupportedCodec && error.what.hasPrefix("mpegts cannot hold "), "\(url): \(error)")
        }
    }

    @Test func unknownOptionAndFormatLeaveNoFile() throws {
        let scratch = try Scratch()
        let option = try failure(scratch.file("out.mp4"), options: [("movfags", "faststart")])
        #expect(option.code == .invalidOption)
        #expect(option.what.contains("movfags"))
        #expect(try failure(scratch.file("out.nonsense")).code == .unsupportedFormat)
        #expect(try failure(scratch.file("out.mkv"), format: "nonsense").code == .unsupportedFormat)
        #expect(try scratch.names() == [])
    }

    @Test func anExistingFileIsLeftAlone() throws {
        let scratch = try Scratch()
        try Data("precious".utf8).write(to: URL(fileURLWithPath: scratch.file("out.mkv")))
        #expect(try failure(scratch.file("out.mkv")).code == .alreadyExists)
        #expect(try failure(scratch.file("out.mkv"), options: [("nonsense", "1")]).code == .invalidOption)
        #expect(try String(contentsOfFile: scratch.file("out.mkv"), encoding: .utf8) == "precious")
    }

    @Test func aFullDiskIsCalledThat() throws {
        let error = try failure("/dev/full", format: "matroska")
        #expect(error.code == .diskFull)
        #expect(error.description.contains("/dev/full"))
        #expect(error.cause.contains("No space left"))
    }

    @Test func noFolderNoFile() throws {
        let scratch = try Scratch()
        #expect(try failure(scratch.file("nowhere/out.mkv")).code == .notFound)
    }

    @Test func nobodyListens() throws {
        // Port 1 of this host: reserved, and nobody's.
        let error = try failure("rtmp://127.0.0.1:1/live/x")
        #expect(error.code == .refused)
        #expect(error.description.contains("rtmp://127.0.0.1:1"))
    }

    @Test func passwordsStayOutOfErrors() throws {
        let error = try failure("rtmp://me:s3cret@127.0.0.1:1/live/x")
        #expect(error.description.contains("rtmp://me:…@127.0.0.1:1/live/…"))
        #expect(!error.description.contains("s3cret"))
        #expect(try failure("nonsense://x/y").what.contains("nonsense:"))
    }

    @Test func aServerThatNeverAnswersTimesOut() throws {
        // Listens, and never accepts.
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                #expect(bind(listener, address, length) == 0 && listen(listener, 4) == 0)
                getsockname(listener, address, &length)
            }
        }
        let port = UInt16(bigEndian: address.sin_port)
        let error = try failure("rtmp://127.0.0.1:\(port)/live/x")
        #expect(error.code == .timedOut)
    }

    @Test func stopEndsABlockedRead() throws {
        let stop = StopFlag()
        Thread.detachNewThread { stop.raise() }
        let error = #expect(throws: MediaError.self) {
            // Nothing is ever sent to it.
            _ = try Demuxer(url: "udp://127.0.0.1:0?timeout=100000000", format: "mpegts", stop: stop)
        }
        #expect(error?.code == .cancelled)
    }

    @Test func inputsThatAreNone() throws {
        let scratch = try Scratch()
        func code(_ url: String) -> MediaError.Code? {
            do throws(MediaError) {
                _ = try Demuxer(url: url)
                return nil
            } catch { return error.code }
        }
        try Data("This is no film.".utf8).write(to: URL(fileURLWithPath: scratch.file("text.mp4")))
        #expect(code(scratch.file("missing.mp4")) == .notFound)
        #expect(code(scratch.file("text.mp4")) == .unsupportedFormat)
        #expect(code("http://127.0.0.1:1/x.mp4") == .refused)
    }

    @Test func aRecordingDroppedWithoutAWordPlays() throws {
        let scratch = try Scratch()
        do {
            var demuxer = try Demuxer(url: Fixture.bunny)
            let recorder = Recorder()
            _ = try Pump.through(&demuxer, limit: 200) {
                try recorder.open(scratch.file("out.mp4"), $0)
            } packet: {
                try recorder.write($0, $1)
            }
            recorder.drop()
        }
        let contents = try FrameCRC(scratch.file("out.mp4"), stream: 0).contents
        #expect(contents.count > 50)
        #expect(contents == Array(try FrameCRC(Fixture.bunny, stream: 0).contents.prefix(contents.count)))
    }

    @Test func hlsMakesItsFolderAndPlays() throws {
        let scratch = try Scratch()
        let playlist = scratch.file("a/b/live.m3u8")
        var demuxer = try Demuxer(url: Fixture.bunny)
        let recorder = Recorder()
        _ = try Pump.through(&demuxer) {
            try recorder.open(playlist, $0, options: [("hls_list_size", "0")])
        } packet: {
            try recorder.write($0, $1)
        }
        try recorder.finish()
        let frames = try Command.run(
            "ffprobe", "-v", "error", "-count_frames", "-select_streams", "v", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", playlist)
        #expect(frames.hasPrefix("132"))
    }
}
