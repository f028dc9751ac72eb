import Foundation
import Glibc
import Testing

/// One recorder, one file after another.
@Suite(.onStage) struct SegmentTests {
    struct Index: Decodable {
        struct Segment: Decodable {
            let name, ended: String
            let start: String
            let end: String?
            let bytes: Int
            let streams: [String]
        }
        let segments: [Segment]
    }

    static func index(_ name: String, _ scratch: Scratch) throws -> Index {
        try JSONDecoder().decode(Index.self, from: Data(contentsOf: URL(fileURLWithPath: scratch.file(name))))
    }

    /// A long file of ours with a key frame every second, put on a lossless network as fast as it is taken.
    static func film(_ scratch: Scratch, seconds: Int = 30, _ codecs: [String] = ["libx264", "aac"]) async throws -> String {
        let name = scratch.log("film.mkv")
        try await tool(
            "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=s=160x120:r=25:d=\(seconds)", "-f", "lavfi", "-i",
            "sine=r=48000:d=\(seconds)", "-c:v", codecs[0], "-g", "25", "-bf", "2", "-c:a", codecs[1], "-strict", "-2", name, in: scratch)
        return name
    }

    static func publish(_ input: String, _ scratch: Scratch) async throws -> Program {
        let publisher = try scratch.ipn("publish", "--fast", "--lossless", "--wait-readers", "1", input, "net")
        try await until("the network is there") { try await scratch.show("net") != nil }
        return publisher
    }

    /// For a reader that has refused: it may have left again before the publisher, which waits for one, saw it.
    private static func end(_ publisher: Program) async throws {
        publisher.send(SIGINT)
        try await publisher.succeeded()
    }

    /// Cut at key frames, nothing missing and nothing twice, of any stream; and each file can be played by itself.
    @Test(arguments: ["mp4", "mkv", "ts"]) func segmentsFitTogether(kind: String) async throws {
        let scratch = try Scratch()
        let film = try await Self.film(scratch)
        let publisher = try await Self.publish(film, scratch)
        let recorder = try scratch.ipn("record", "net", "cam.\(kind)", "--segment", "5s")
        try await publisher.succeeded()
        try await recorder.succeeded()
        #expect(recorder.complaint == "")
        let index = try Self.index("cam.json", scratch).segments
        #expect(index.map(\.name) == ["cam.\(kind)"] + (2...6).map { "cam-\($0).\(kind)" })
        #expect(index.map(\.ended) == Array(repeating: "segment", count: 5) + ["stream"])
        for segment in index {
            #expect(segment.bytes == scratch.size(segment.name) && segment.end != nil)
            #expect(segment.streams.count == 2 && segment.streams[0].hasPrefix("#0 h264 160x120"))
            let recording = Recording(segment.name, in: scratch)
            let packets = try await recording.packets()
            #expect(packets.count == 125 && packets.first?.isKey == true, "\(segment.name)")
            // Sound that is heard before the cut is in the file before it.
            let sound = try await recording.packets("a").map(\.pts).min() ?? 0
            #expect(segment.name == index[0].name || sound >= packets.map(\.pts).min() ?? 0, "\(segment.name): sound begins at \(sound)")
            try await recording.play()
        }
        for stream in ["v", "a"] {
            var contents: [String] = []
            for segment in index { contents += try await Recording(segment.name, in: scratch).contents(stream) }
            // A transport stream puts a header of its own around each packet of these codecs: their number has to do.
            let wanted = try await Recording(film, in: scratch).contents(stream)
            if kind == "ts" { #expect(contents.count == wanted.count) } else { #expect(contents == wanted, "\(stream)") }
        }
        try await scratch.expectNothingLeft()
    }

    /// An MP4 file is an ordinary one in the end: an index of all samples, and no fragments.
    @Test func anMP4FileIsOrdinaryInTheEnd() async throws {
        let scratch = try Scratch()
        let publisher = try await Self.publish(Fixture.bunny, scratch)
        try await scratch.ipn("record", "net", "copy.mp4", "--fragment", "250ms").succeeded()
        try await publisher.succeeded()
        let data = try Data(contentsOf: URL(fileURLWithPath: scratch.file("copy.mp4")))
        var place = 0
        var types: [String] = []
        while place < data.count {
            var size = data[place..<(place + 4)].reduce(0) { $0 << 8 | Int($1) }
            types.append(String(decoding: data[(place + 4)..<(place + 8)], as: UTF8.self))
            if size == 1 { size = data[(place + 8)..<(place + 16)].reduce(0) { $0 << 8 | Int($1) } }
            place += size
        }
        #expect(types == ["ftyp", "mdat", "moov"])
        for stream in ["v", "a"] {
            #expect(try await Recording("copy.mp4", in: scratch).checksums(stream) == Recording(Fixture.bunny, in: scratch).checksums(stream))
        }
    }

    /// The oldest go, by their number of bytes; what is not of this list stays.
    @Test func onlyWhatIsAskedForIsKept() async throws {
        let scratch = try Scratch()
        let film = try await Self.film(scratch)
        try Data("precious".utf8).write(to: URL(fileURLWithPath: scratch.file("cam-old.mkv")))
        let publisher = try await Self.publish(film, scratch)
        let recorder = try scratch.ipn("record", "net", "cam.mkv", "--segment", "1s", "--keep", "100K")
        try await publisher.succeeded()
        try await recorder.succeeded()
        #expect(recorder.complaint == "")
        let index = try Self.index("cam.json", scratch).segments
        #expect(index.count > 1 && index.count < 30 && index.last?.name == "cam-30.mkv")
        #expect(index.reduce(0) { $0 + $1.bytes } <= 100 << 10)
        #expect(try scratch.names().filter { $0.hasSuffix(".mkv") } == (index.map(\.name) + ["cam-old.mkv"]).sorted())
    }

    /// The same by their age: what ended longer ago is gone, and nothing else.
    @Test func onlyWhatIsNewIsKept() async throws {
        try await withLiveNetwork("test:gop=25") { scratch in
            let recorder = try scratch.ipn("record", "net", "cam.mkv", "--segment", "1s", "--keep", "3s")
            try await until("it has gone on for a while \(recorder.complaint)") { scratch.has("cam-9.mkv") }
            recorder.send(SIGINT)
            try await recorder.succeeded()
            let index = try Self.index("cam.json", scratch).segments
            let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
            let ends = try index.map { try style.parse($0.end ?? "") }
            // A segment that has ended is looked at when the next one does.
            #expect(ends.allSatisfy { ends[ends.count - 1].timeIntervalSince($0) < 3 + 1.5 }, "\(ends)")
            #expect(index.count >= 3 && index.first?.name != "cam.mkv")
            #expect(try scratch.names().filter { $0.hasSuffix(".mkv") } == index.map(\.name).sorted())
        }
    }

    /// Names by the time of day, of which many are the same: none is overwritten.
    @Test func namesThatAreTheSameAreNumbered() async throws {
        let scratch = try Scratch()
        let film = try await Self.film(scratch, seconds: 5)
        let name = String(Calendar.current.component(.year, from: Date()))
        try Data("precious".utf8).write(to: URL(fileURLWithPath: scratch.file("\(name).mkv")))
        let publisher = try await Self.publish(film, scratch)
        let recorder = try scratch.ipn("record", "net", "%Y.mkv", "--segment", "1s")
        try await publisher.succeeded()
        try await recorder.succeeded()
        #expect(recorder.complaint.hasPrefix("ipn: \(name).mkv: that name is taken: goes on as \(name)-2.mkv\n"))
        #expect(try Self.index("segments.json", scratch).segments.map(\.name) == (2...6).map { "\(name)-\($0).mkv" })
        #expect(try String(contentsOfFile: scratch.file("\(name).mkv"), encoding: .utf8) == "precious")
    }

    @Test func whatIsNoListIsNotReplaced() async throws {
        let scratch = try Scratch()
        try Data("precious".utf8).write(to: URL(fileURLWithPath: scratch.file("cam.json")))
        // Nothing is opened, nor looked at, before the network is there.
        try await scratch.ipn("create", "net").succeeded()
        try await expectComplaint(
            try scratch.ipn("record", "net", "cam-%H.mkv", "--segment", "10m"), status: 1, "cam.json: ", "not a list", "--index")
        try await expectComplaint(try scratch.ipn("record", "net", "x.mkv", "--keep", "24h"), status: 2, "--keep", "--segment")
        try await expectComplaint(try scratch.ipn("record", "net", "x.mkv", "--segment", "ten"), status: 2, "--segment")
        try await expectComplaint(try scratch.ipn("record", "net", "x.mkv", "--segment", "1m", "--keep", "24"), status: 2, "--keep")
        try await scratch.ipn("remove", "net").succeeded()
        #expect(try scratch.names() == ["cam.json"])
    }

    /// The list is worth less than the recording.
    @Test func aListThatCannotBeWrittenEndsNothing() async throws {
        let scratch = try Scratch()
        let film = try await Self.film(scratch, seconds: 5)
        let publisher = try await Self.publish(film, scratch)
        let recorder = try scratch.ipn("record", "net", "cam.mkv", "--segment", "1s", "--index", "nowhere/cam.json")
        try await publisher.succeeded()
        try await recorder.succeeded()
        #expect(recorder.complaint == "ipn: nowhere/cam.json: the list of segments cannot be written; the recording goes on\n")
        #expect(try scratch.names() == ["cam-2.mkv", "cam-3.mkv", "cam-4.mkv", "cam-5.mkv", "cam.mkv"])
    }

    /// Another producer: a file of its own, in the same list.
    @Test func aNewProducerIsInTheListToo() async throws {
        let scratch = try Scratch()
        try await scratch.ipn("create", "net", "--mtu", "4M", "--pool", "256", "--lossless").succeeded()
        let recorder = try scratch.ipn("record", "net", "cam.mp4", "--segment", "1h", "--follow")
        for input in [Fixture.bunny, try await Self.film(scratch, seconds: 3)] {
            try await scratch.ipn("publish", input, "net", "--fast", "--wait-readers", "1").succeeded()
        }
        try await until("the second has been read") {
            guard scratch.has("cam-2.mp4") else { return false }
            return try await scratch.show("net")?.nodes.allSatisfy { $0.pending == 0 } ?? false
        }
        recorder.send(SIGINT)
        try await recorder.succeeded()
        let index = try Self.index("cam.json", scratch).segments
        #expect(index.map(\.name) == ["cam.mp4", "cam-2.mp4"] && index.map(\.ended) == ["replaced", "stopped"])
        #expect(index[0].streams[0].contains("h264") && index[1].streams[0].contains("160x120"))
        for segment in index { try await Recording(segment.name, in: scratch).play() }
        try await scratch.ipn("remove", "net").succeeded()
    }

    /// Ogg and WAV hold sound; what they cannot hold is said.
    @Test func soundAlone() async throws {
        let scratch = try Scratch()
        for (codec, name) in [("pcm_s16le", "sound.wav"), ("flac", "sound.ogg")] {
            let film = try await Self.film(scratch, seconds: 5, ["libx264", codec])
            let publisher = try await Self.publish(film, scratch)
            let recorder = try scratch.ipn("record", "net", name, "--streams", "audio")
            try await publisher.succeeded()
            try await recorder.succeeded()
            #expect(recorder.complaint == "")
            let recording = Recording(name, in: scratch)
            #expect(try await recording.codecs() == [codec])
            let end = try await recording.packets("a").map(\.pts).max() ?? 0
            #expect((4.5...5).contains(end), "\(name) ends at \(end)")
            try await recording.play()
            try FileManager.default.removeItem(atPath: film)
        }
        let publisher = try await Self.publish(Fixture.bunny, scratch)
        try await expectComplaint(try scratch.ipn("record", "net", "x.wav"), status: 1, "x.wav: ", "wav cannot hold aac", "write .mkv")
        try await Self.end(publisher)
    }

    @Test func streamsThatAreNotThereAreNamed() async throws {
        let scratch = try Scratch()
        let publisher = try await Self.publish(Fixture.bunny, scratch)
        try await expectComplaint(
            try scratch.ipn("record", "net", "x.mkv", "--streams", "subtitle,7"), status: 1, "x.mkv: ", "none of the streams", "#0 h264")
        try await Self.end(publisher)
        #expect(try scratch.names() == [])
    }
}
