import Foundation
import Glibc
import Testing

/// What `ipn pipe` writes, read by the programs that people pipe it into.
@Suite(.onStage) struct PipeTests {
    /// A shell whose status is the first that failed in a pipeline.
    private func shell(_ script: String, in scratch: Scratch) throws -> Program {
        try Program(["bash", "-c", "set -o pipefail; " + script], in: scratch, environment: ["IPN": Scratch.executable])
    }

    private func withFile(_ body: (Scratch, Program) async throws -> Void) async throws {
        let scratch = try Scratch()
        let publisher = try scratch.ipn("publish", Fixture.bunny, "net", "--wait-readers", "1")
        try await until("the network is there") { try await scratch.show("net") != nil }
        try await body(scratch, publisher)
        try await publisher.succeeded()
        try await scratch.expectNothingLeft()
    }

    @Test(arguments: ["matroska", "mpegts"]) func ffmpegReadsAll(container: String) async throws {
        try await withFile { scratch, publisher in
            try await shell(
                "\"$IPN\" pipe net --format \(container) | ffmpeg -v error -i - -map 0 -c copy heard.mkv", in: scratch
            ).succeeded()
            let heard = Recording("heard.mkv", in: scratch)
            #expect(try await heard.packets().count == 132)
            #expect(try await heard.codecs().sorted() == ["aac", "h264"])
            if container == "matroska" {
                #expect(try await heard.contents("v") == Recording(Fixture.bunny, in: scratch).contents("v"))
            }
            try await heard.play()
        }
    }

    /// As recorders everywhere take it, though `ipn pipe` is the name for it.
    @Test func aRecordingGoesToStandardOutput() async throws {
        try await withFile { scratch, publisher in
            let recorder = try scratch.ipn("record", "net", "-", "--format", "matroska", output: scratch.file("heard.mkv"))
            try await recorder.succeeded()
            #expect(try await Recording("heard.mkv", in: scratch).contents("v") == Recording(Fixture.bunny, in: scratch).contents("v"))
            #expect(!scratch.has("-"))
            #expect(try await scratch.ipn("record", "net", "-").ended().status == 2)
        }
    }

    @Test func gstreamerReadsAll() async throws {
        try await withFile { scratch, publisher in
            let pipeline = "fdsrc ! tsdemux ! h264parse ! video/x-h264,stream-format=byte-stream,alignment=au ! filesink location=heard.h264"
            try await shell("\"$IPN\" pipe net --format mpegts | gst-launch-1.0 -q \(pipeline)", in: scratch).succeeded()
            let count = try await tool(
                "ffprobe", "-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0",
                scratch.file("heard.h264"), in: scratch)
            #expect(count == "132\n")
        }
    }

    /// It ends with its reader, and nobody complains.
    @Test(arguments: ["mpv --no-config --vo=null --ao=null --frames=40 -", "head -c 20000"])
    func aReaderThatHasEnough(reader: String) async throws {
        try await withLiveNetwork { scratch, _ in
            let both = try shell("\"$IPN\" pipe net | \(reader) > /dev/null", in: scratch)
            let end = try await both.ended()
            #expect(end.status == 0 && !both.complaint.contains("ipn"), "\(end) \(both.complaint)")
        }
    }

    /// The reader's end is noticed also where the producer is silent.
    @Test func aReaderThatLeavesWhileNothingComes() async throws {
        try await withLiveNetwork { scratch, publisher in
            let file = scratch.file("pipe")
            try #require(mkfifo(file, 0o600) == 0)
            let reader = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
            let pipe = try scratch.ipn("pipe", "net", output: file)
            // More than a header: packets are going through.
            var (octets, heard) = ([UInt8](repeating: 0, count: 65536), 0)
            try await until("packets were written") {
                heard += max(0, read(reader, &octets, octets.count))
                return heard > 20_000
            }
            try await publisher.suspend()
            close(reader)
            try await pipe.succeeded()
            publisher.resume()
            #expect(pipe.complaint == "")
            unlink(file)
        }
    }

    /// A full pipe is no reason not to end when asked.
    @Test func aReaderThatDoesNotRead() async throws {
        try await withLiveNetwork { scratch, _ in
            let file = scratch.file("pipe")
            try #require(mkfifo(file, 0o600) == 0)
            let reader = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
            defer { close(reader) }
            let pipe = try scratch.ipn("pipe", "net", output: file)
            let writer = open(file, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
            defer { close(writer) }
            try await until("the pipe is full") {
                var set = pollfd(fd: writer, events: Int16(POLLOUT), revents: 0)
                return poll(&set, 1, 0) == 0
            }
            pipe.send(SIGTERM)
            _ = try await pipe.ended()
            #expect(pipe.complaint == "")
            unlink(file)
        }
    }

    /// Nothing is held back: what has been received has been written.
    @Test(arguments: ["matroska", "mpegts"]) func everyPacketGoesOutAtOnce(container: String) async throws {
        try await withLiveNetwork { scratch, publisher in
            let pipe = try scratch.ipn("pipe", "net", "--format", container, output: scratch.file("heard"))
            try await until("a second is there \(pipe.complaint)") { scratch.size("heard") > 10_000 }
            try await publisher.suspend()
            let heard = Recording("heard", in: scratch)
            try await until("all is written") {
                guard let node = try await scratch.show("net")?.nodes.first(where: { $0.description == "ipn pipe" }) else { return false }
                let packets = try await heard.packets("v").count + heard.packets("a").count
                // A description is no packet, and a reader of a transport stream may wait for the end of the last of each stream.
                return node.pending == 0 && packets >= Int(node.received) - 4
            }
            publisher.resume()
            pipe.send(SIGTERM)
            try await pipe.succeeded()
        }
    }

    @Test func aTerminalIsRefused() async throws {
        let scratch = try Scratch()
        let script = try Program(["script", "-qec", "\(Scratch.executable) pipe net", "/dev/null"], in: scratch)
        #expect(try await script.ended().status == 2)
        #expect(script.output.contains("standard output is a terminal") && script.output.contains("mpv"), "\(script.output)")
    }
}
