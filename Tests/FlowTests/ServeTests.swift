import Foundation
import Glibc
import Testing

/// `ipn serve`, asked by the programs that people ask with.
@Suite(.onStage) struct ServeTests {
    /// A live network and a server for it.
    private func withServer(
        _ input: String = "test:", _ body: (_ scratch: Scratch, _ server: Program, _ port: Int, _ publisher: Program) async throws -> Void
    ) async throws {
        let scratch = try Scratch()
        let publisher = try scratch.ipn("publish", input, "net")
        try await until("the network is there") { try await scratch.show("net")?.writers == 1 }
        let server = try scratch.ipn("serve", "net", "--listen", "127.0.0.1:0")
        try await until("it serves \(server.complaint)") { server.complaint.hasSuffix("/\n") }
        #expect(server.complaint.hasPrefix("ipn: serving at http://127.0.0.1:"))
        let port = try #require(Int(server.complaint.split(separator: ":").last?.prefix { $0.isNumber } ?? ""))
        try await until("there is a stream") { try await self.status("/stream.ts", port, ["-I"], in: scratch) == "200" }
        try await body(scratch, server, port, publisher)
        publisher.send(SIGINT)
        try await publisher.succeeded()
        try await server.succeeded()
        #expect(server.complaint.split(separator: "\n").count == 1, "\(server.complaint)")
        try await scratch.expectNothingLeft()
    }

    /// What curl is answered.
    private func status(_ path: String, _ port: Int, _ options: [String] = [], in scratch: Scratch) async throws -> String {
        let curl = try Program(
            ["curl", "-s", "-m", "30", "-o", "/dev/null", "-w", "%{http_code}"] + options + ["http://127.0.0.1:\(port)\(path)"], in: scratch)
        _ = try await curl.ended()
        return curl.output
    }

    @Test func ffmpegTakesTheStream() async throws {
        try await withServer { scratch, _, port, _ in
            for _ in 1...2 {
                try await tool(
                    "ffmpeg", "-v", "error", "-y", "-i", "http://127.0.0.1:\(port)/stream.ts", "-t", "2", "-map", "0", "-c", "copy",
                    scratch.file("heard.ts"), in: scratch)
                let heard = Recording("heard.ts", in: scratch)
                #expect(try await heard.codecs().sorted() == ["aac", "h264"])
                #expect(try await heard.flaws(beginsAnywhere: true) == [])
            }
        }
    }

    @Test func mpvAndGStreamerTakeTheStream() async throws {
        try await withServer { scratch, _, port, _ in
            let address = "http://127.0.0.1:\(port)/stream.ts"
            let player = try Program(["mpv", "--no-config", "--vo=null", "--ao=null", "--frames=40", address], in: scratch)
            let end = try await player.ended()
            #expect(end.status == 0 && player.output.contains("h264") && player.output.contains("aac"), "\(end) \(player.output)")
            let words = "souphttpsrc is-live=true location=\(address) ! tsdemux ! h264parse ! avdec_h264 ! identity eos-after=40 ! fakesink"
            try await tool(["gst-launch-1.0", "-q"] + words.split(separator: " ").map(String.init), in: scratch)
        }
    }

    /// Whoever comes late gets the headers as well.
    @Test(arguments: [("aac", "aac"), ("libopus", "opus"), ("libmp3lame", "mp3")]) func soundAsItIs(encoder: String, codec: String) async throws {
        try await withServer("test:audio=\(encoder)") { scratch, _, port, _ in
            for _ in 1...2 {
                _ = try await Program(
                    ["curl", "-s", "-m", "2", "-o", scratch.file("heard"), "http://127.0.0.1:\(port)/audio"], in: scratch
                ).ended()
                let heard = Recording("heard", in: scratch)
                #expect(try await heard.codecs() == [codec])
                #expect(try await heard.packets("a").count > 20)
            }
        }
    }

    @Test func picturesAsJPEG() async throws {
        try await withServer { scratch, _, port, publisher in
            try await tool(
                "ffmpeg", "-v", "error", "-f", "mpjpeg", "-i", "http://127.0.0.1:\(port)/stream.mjpeg", "-frames:v", "10", "-f", "null", "-",
                in: scratch)
            func snapshot() async throws {
                try await tool("curl", "-sf", "-m", "30", "-o", scratch.file("now.jpg"), "http://127.0.0.1:\(port)/snapshot.jpg", in: scratch)
                #expect(try await Recording("now.jpg", in: scratch).codecs() == ["mjpeg"])
                try await Recording("now.jpg", in: scratch).play()
            }
            try await snapshot()
            // Also of a source that stands still.
            try await publisher.suspend()
            try await snapshot()
            publisher.resume()
        }
    }

    @Test func whatMakesNoSenseIsAnswered() async throws {
        try await withServer { scratch, server, port, _ in
            #expect(try await status("/nowhere", port, in: scratch) == "404")
            #expect(try await status("/", port, ["-X", "DELETE"], in: scratch) == "405")
            #expect(try await status("/", port, ["-H", "Host: evil.example"], in: scratch) == "403")
            #expect(try await status("/", port, ["-H", "Host: localhost:\(port)"], in: scratch) == "200")
            #expect(try await status("/", port, ["-H", "X: \(String(repeating: "x", count: 9000))"], in: scratch) == "431")
            #expect(try await status("/", port, ["-X", "GET /x"], in: scratch) == "400")
            #expect(try await status("/", port, ["--request-target", "/\tx"], in: scratch) == "400")
            #expect(try await tool("curl", "-sf", "http://127.0.0.1:\(port)/", in: scratch).contains("src=\"/stream.mjpeg\""))
            let other = try scratch.ipn("serve", "net", "--listen", "127.0.0.1:\(port)")
            #expect(try await other.ended().status == 1)
            #expect(other.complaint.contains("127.0.0.1:\(port): cannot listen there (Address already in use)"), "\(other.complaint)")
            let wrong = try scratch.ipn("serve", "net", "--listen", "nowhere:1")
            #expect(try await wrong.ended().status == 2)
        }
    }

    /// It is dropped, and costs the others nothing.
    @Test func aClientThatDoesNotRead() async throws {
        try await withServer { scratch, server, port, _ in
            func sockets() -> Int {
                let folder = "/proc/\(server.processID)/fd"
                let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
                return names.count {
                    (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)"))?.hasPrefix("socket:") == true
                }
            }
            try await until("the others have left") { try await self.status("/nowhere", port, in: scratch) == "404" }
            let before = sockets()
            let lazy = try Net.connected(port)
            defer { close(lazy) }
            let request = Array("GET /stream.mjpeg HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
            #expect(write(lazy, request, request.count) == request.count)
            try await until("it is served") { sockets() == before + 1 }
            let other = try Program(
                [
                    "ffmpeg", "-v", "error", "-y", "-i", "http://127.0.0.1:\(port)/stream.ts", "-map", "0", "-c", "copy",
                    "-flush_packets", "1", scratch.file("heard.ts"),
                ], in: scratch)
            try await until("the other one is served") { sockets() == before + 2 }
            try await until("it is dropped") { sockets() == before + 1 }
            other.send(SIGINT)
            _ = try await other.ended()
            #expect(try await Recording("heard.ts", in: scratch).flaws(beginsAnywhere: true) == [])
        }
    }
}
