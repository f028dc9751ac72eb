import Foundation
import Glibc
import Testing

/// A producer that changes its codecs in mid-stream: every consumer goes on, or ends its file properly and begins a new one.
@Suite(.onStage) struct FormatChangeTests {
    /// A second of a film: H.264 and AAC, H.265 and Opus, or pictures and sound that are not coded.
    private func film(_ name: String, in scratch: Scratch) async throws {
        let coding =
            switch name {
            case "one.mkv", "big.mkv": ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", "aac"]
            case "two.mkv": ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:keyint=25:bframes=0", "-c:a", "libopus"]
            default: ["-c:v", "rawvideo", "-pix_fmt", "yuv420p", "-c:a", "pcm_s16le"]
            }
        let size = name == "big.mkv" ? "320x180" : "160x90"
        let input = ["-f", "lavfi", "-i", "testsrc2=size=\(size):rate=25:duration=1", "-f", "lavfi", "-i", "sine=duration=1:sample_rate=48000"]
        try await tool(["ffmpeg", "-v", "error"] + input + coding + [name], in: scratch)
    }

    /// Publishes one after the other to so many, none of whom loses anything.
    private func publish(_ names: [String], readers: Int, in scratch: Scratch, _ options: String...) async throws -> Program {
        for name in Set(names) where !scratch.has(name) { try await film(name, in: scratch) }
        let publisher = try scratch.ipn(["publish"] + names + ["net", "--lossless", "--wait-readers", "\(readers)"] + options)
        try await until("the network is there \(publisher.complaint)") { try await scratch.show("net") != nil }
        return publisher
    }

    private func count(_ name: String, in scratch: Scratch) async throws -> Int { try await Recording(name, in: scratch).packets().count }

    /// Also of what a container cannot hold one is told, and the rest is recorded.
    @Test func recordersBeginNewFiles() async throws {
        let scratch = try Scratch()
        let publisher = try await publish(["one.mkv", "three.nut", "two.mkv", "one.mkv"], readers: 2, in: scratch, "--fast")
        let all = try scratch.ipn("record", "net", "all.mkv")
        let some = try scratch.ipn("record", "net", "some.mp4")
        try await publisher.succeeded()
        try await all.succeeded()
        #expect(all.complaint == "")
        #expect(try await some.ended().status == 1)
        #expect(some.complaint == "ipn: some-2.mp4: mp4 cannot hold rawvideo; write .nut instead, or leave it out: ipn record --streams audio\n")
        let (coded, newer, raw) = (["h264", "aac"], ["hevc", "opus"], ["rawvideo", "pcm_s16le"])
        #expect(try scratch.names().filter { $0.hasPrefix("some") } == ["some-3.mp4", "some-4.mp4", "some.mp4"])
        for (name, codecs) in [
            ("all.mkv", coded), ("all-2.mkv", raw), ("all-3.mkv", newer), ("all-4.mkv", coded), ("some.mp4", coded), ("some-3.mp4", newer),
            ("some-4.mp4", coded),
        ] {
            let recording = Recording(name, in: scratch)
            #expect(try await recording.codecs() == codecs, "\(name)")
            #expect(try await recording.packets().count == 25, "\(name)")
            try await recording.play()
        }
        try await scratch.expectNothingLeft()
    }

    /// Takes whoever connects, one after the other, and writes down what each has sent: `part-1.ts`, `part-2.ts`, …
    private func receiver(_ port: Int, in scratch: Scratch) async throws -> Program {
        let script = """
            import socket
            server = socket.create_server(("127.0.0.1", \(port)))
            print("listening", flush=True)
            part = 0
            while True:
                client, part = server.accept()[0], part + 1
                with open(f"part-{part}.ts", "wb") as file:
                    while octets := client.recv(65536): file.write(octets)
            """
        let receiver = try Program(["/usr/bin/python3", "-c", script], in: scratch)
        try await until("it listens \(receiver.complaint)") { receiver.output == "listening\n" }
        return receiver
    }

    /// A playlist has a mark where it changes; to a server there is another connection.
    @Test func streamsGoOn() async throws {
        let scratch = try Scratch()
        let port = try Net.freePort()
        let receiver = try await receiver(port, in: scratch)
        let publisher = try await publish(["one.mkv", "two.mkv", "one.mkv"], readers: 2, in: scratch)
        let playlist = try scratch.ipn("stream", "net", "hls/live.m3u8", "--option", "hls_list_size=0")
        let sender = try scratch.ipn("stream", "net", "tcp://127.0.0.1:\(port)")
        for program in [publisher, playlist, sender] {
            try await program.succeeded()
            #expect(program.complaint == "")
        }
        let text = try String(contentsOfFile: scratch.file("hls/live.m3u8"), encoding: .utf8)
        #expect(text.split(separator: "\n").count { $0 == "#EXT-X-DISCONTINUITY" } == 2 && text.contains("#EXT-X-ENDLIST"), "\(text)")
        let segments = text.split(separator: "\n").filter { $0.hasSuffix(".ts") }.map { "hls/\($0)" }
        #expect(segments.count == 3, "\(text)")
        let parts = (1...3).map { "part-\($0).ts" }
        let codecs = [["aac", "h264"], ["hevc", "opus"], ["aac", "h264"]]
        for (name, codecs) in zip(segments + parts, codecs + codecs) {
            try await until("\(name) is whole") { try await count(name, in: scratch) == 25 }
            #expect(try await Recording(name, in: scratch).codecs().sorted() == codecs, "\(name)")
        }
        receiver.send(SIGKILL)
        try await scratch.expectNothingLeft()
    }

    /// One container cannot change in the middle, and ends; where the codecs stay, a transport stream goes on.
    @Test func pipesEndOrGoOn() async throws {
        let scratch = try Scratch()
        let publisher = try await publish(["one.mkv", "three.nut"], readers: 3, in: scratch)
        func pipe(_ format: String, _ name: String) throws -> Program {
            try scratch.ipn("pipe", "net", "--format", format, output: scratch.file(name))
        }
        let pipes = [try pipe("matroska", "heard.mkv"), try pipe("mpegts", "heard.ts")]
        let screen = try scratch.ipn("play", "net", "--terminal", "--no-sound", "--stats", "--latency", "300")
        try await publisher.succeeded()
        for program in pipes {
            try await program.succeeded()
            #expect(program.complaint.hasPrefix("ipn: standard output: the stream goes on in another format"), "\(program.complaint)")
            #expect(program.complaint.filter { $0 == "\n" }.count == 1)
        }
        try await screen.succeeded()
        #expect(screen.complaint.split(separator: "\n").allSatisfy { $0.contains("pictures/s") }, "\(screen.complaint)")
        for name in ["heard.mkv", "heard.ts"] {
            #expect(try await Recording(name, in: scratch).codecs().sorted() == ["aac", "h264"])
            #expect(try await count(name, in: scratch) == 25)
            try await Recording(name, in: scratch).play()
        }
        // All were decoded, whether there was time to show them or not.
        let summary = try #require(screen.output.firstMatch(of: /([0-9]+) pictures shown, ([0-9]+) skipped, 0 packets damaged/))
        #expect((Int(summary.1) ?? 0) + (Int(summary.2) ?? 0) == 50, "\(summary.0)")
        try await scratch.expectNothingLeft()

        let again = try await publish(["one.mkv", "big.mkv"], readers: 1, in: scratch)
        let longer = try pipe("mpegts", "both.ts")
        try await again.succeeded()
        try await longer.succeeded()
        #expect(try await count("both.ts", in: scratch) == 50)
        try await scratch.expectNothingLeft()
    }

    /// A publisher that was started again: for who reads a pipe, one stream goes on, and its time too.
    @Test(arguments: ["matroska", "mpegts"]) func aPipeGoesOnWithTheSame(container: String) async throws {
        let scratch = try Scratch()
        let first = try await publish(["one.mkv"], readers: 1, in: scratch)
        let pipe = try scratch.ipn("pipe", "net", "--follow", "--format", container, output: scratch.file("heard"))
        try await first.succeeded()
        // From a clock that has gone on for an hour.
        let later = ["-c", "copy", "-output_ts_offset", "3600", "later.mkv"]
        try await tool(["ffmpeg", "-v", "error", "-i", "one.mkv"] + later, in: scratch)
        try await scratch.ipn("publish", "later.mkv", "net", "--wait-readers", "1").succeeded()
        try await until("all of both is there \(pipe.complaint)") { try await count("heard", in: scratch) == 50 }
        pipe.send(SIGINT)
        try await pipe.succeeded()
        #expect(pipe.complaint == "")
        if container == "matroska" {
            let heard = Recording("heard", in: scratch)
            let one = try await Recording("one.mkv", in: scratch).contents("v")
            #expect(try await heard.contents("v") == one + one)
            // The second begins where the first ends, which is the end of its sound.
            let times = try await heard.packets().map(\.pts)
            #expect(zip(times, times.dropFirst()).allSatisfy { $1 > $0 && $1 - $0 < 0.1 }, "\(times)")
        }
        try await scratch.expectNothingLeft()
    }

    /// Who listens by HTTP goes on while the codecs stay; otherwise its stream ends well, and it asks again.
    @Test func serversSendListenersOn() async throws {
        let scratch = try Scratch()
        func publish(_ signal: String) async throws -> Program {
            let publisher = try scratch.ipn("publish", signal, "net")
            try await until("it publishes \(publisher.complaint)") { try await scratch.show("net")?.writers == 1 }
            return publisher
        }
        func end(_ publisher: Program) async throws {
            publisher.send(SIGINT)
            try await publisher.succeeded()
        }
        let first = try await publish("test:size=160x90")
        let server = try scratch.ipn("serve", "net", "--listen", "127.0.0.1:0", "--follow")
        try await until("it serves \(server.complaint)") { server.complaint.hasSuffix("/\n") }
        let address = server.complaint.split(separator: " ").last.map { $0.dropLast() + "stream.ts" } ?? ""
        func listen(_ name: String) async throws -> Program {
            let words = ["curl", "-sSf", "--retry", "20", "--retry-delay", "1", "-o", scratch.file(name), String(address)]
            let listener = try Program(words, in: scratch)
            try await until("it hears \(listener.complaint)") { scratch.size(name) > 20_000 }
            return listener
        }
        let one = try await listen("one.ts")
        try await end(first)
        let before = scratch.size("one.ts")
        let second = try await publish("test:size=160x90")
        try await until("it goes on") { scratch.size("one.ts") > before + 20_000 }
        try await end(second)
        let third = try await publish("test:size=160x90,codec=mpeg4,audio=libopus")
        // curl tells a stream that was cut off from one that has ended.
        try await one.succeeded()
        let two = try await listen("two.ts")
        try await end(third)
        server.send(SIGINT)
        try await server.succeeded()
        try await two.succeeded()
        #expect(try await Recording("one.ts", in: scratch).codecs().sorted() == ["aac", "h264"])
        #expect(try await Recording("two.ts", in: scratch).codecs().sorted() == ["mpeg4", "opus"])
        for name in ["one.ts", "two.ts"] { #expect(try await Recording(name, in: scratch).packets().first?.isKey == true) }
        try await scratch.expectNothingLeft()
    }
}
