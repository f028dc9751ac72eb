import Foundation
import Glibc
import Testing

/// Servers that die and come back in the middle of a stream.
@Suite(.onStage) struct ReconnectTests {
    /// One line when it was lost, and one when it was there again.
    private func expectOneOutage(_ stream: Program) {
        let lines = stream.complaint.split(separator: "\n")
        #expect(lines.count == 2 && lines[0].contains("trying again") && lines[1].contains("connected again"), "\(stream.complaint)")
    }

    private func size(_ file: String) -> Int {
        var status = stat()
        return stat(file, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Streams to an nginx that records, is killed, and started again with another folder.
    /// - Parameter bytes: that each of the two is to have recorded.
    /// - Returns: the stream, which has ended, and what the second recorded.
    private func outage(of name: String, _ bytes: Int, in scratch: Scratch) async throws -> (stream: Program, recording: Recording) {
        let port = try Net.freePort()
        let folders = try ["first", "second"].map { try Servers.folder($0, in: scratch) }
        let first = try await Servers.nginx(folders[0], port: port, in: scratch)
        let stream = try scratch.ipn("stream", "net", "rtmp://127.0.0.1:\(port)/live/\(name)")
        try await until("nginx records \(stream.complaint)") { self.size("\(folders[0])/\(name).flv") > bytes }
        try await Servers.crash(first)
        try await until("the loss is told") { stream.complaint.contains("trying again") }
        let second = try await Servers.nginx(folders[1], port: port, in: scratch)
        let file = "\(folders[1])/\(name).flv"
        try await until("nginx records again \(stream.complaint)") { self.size(file) > bytes }
        stream.send(SIGINT)
        try await stream.succeeded()
        expectOneOutage(stream)
        second.send(SIGTERM)
        try await second.succeeded()
        return (stream, Recording(file, in: scratch))
    }

    @Test func rtmpServerIsKilledAndStartedAgain() async throws {
        try await withLiveNetwork { scratch in
            let (stream, recording) = try await outage(of: "hunter2", 50_000, in: scratch)
            #expect(!stream.complaint.contains("hunter2"))
            #expect(try await recording.packets().first?.isKey == true)
            #expect(try await recording.codecs() == ["h264", "aac"])
            try await recording.play()
        }
    }

    /// Whoever comes back sees a picture at once: here the only key frame there will ever be was sent long before.
    @Test func aServerThatIsBackGetsAKeyFrameThatIsKept() async throws {
        try await withLiveNetwork("test:gop=100000", ["--history", "5min"]) { scratch in
            let (_, recording) = try await outage(of: "x", 20_000, in: scratch)
            #expect(try await recording.flaws(beginsAnywhere: true) == [])
            try await recording.play()
        }
    }

    /// Byte by byte, as recorders pass over what nobody can decode: from the last key frame, which is kept, or from the next one.
    @Test(arguments: ["last", "next"]) func eachConnectionBeginsWithAKeyFrame(join: String) async throws {
        try await withLiveNetwork { scratch in
            let port = try Net.freePort()
            let script = """
                import socket, struct
                server = socket.create_server(("127.0.0.1", \(port)))
                print("listening", flush=True)
                for part in 1, 2:
                    client = server.accept()[0]
                    with open(f"part-{part}.ts", "wb", 0) as file:
                        while (octets := client.recv(4096)) and (part == 2 or file.tell() < 50000): file.write(octets)
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    client.close()
                """
            let receiver = try Program(["/usr/bin/python3", "-c", script], in: scratch)
            try await until("it listens \(receiver.complaint)") { receiver.output == "listening\n" }
            let stream = try scratch.ipn("stream", "net", "tcp://127.0.0.1:\(port)", "--join", join)
            try await until("it is sent again \(stream.complaint)") { scratch.size("part-2.ts") > 50_000 }
            stream.send(SIGINT)
            _ = try await stream.ended()
            try await receiver.succeeded()
            for part in 1...2 {
                #expect(try await Recording("part-\(part).ts", in: scratch).packets().first?.isKey == true, "\(part)")
            }
        }
    }

    @Test func icecastIsKilledAndStartedAgain() async throws {
        try await withLiveNetwork { scratch in
            let port = try Net.freePort()
            let folder = try Servers.folder("icecast", in: scratch)
            let first = try await Servers.icecast(folder, port: port, in: scratch)
            let stream = try scratch.ipn("stream", "net", "icecast://source:hackme@127.0.0.1:\(port)/cam.aac")
            func listen() async throws -> Bool {
                _ = try await Program(
                    ["curl", "-s", "-m", "3", "-o", scratch.file("heard.aac"), "http://127.0.0.1:\(port)/cam.aac"], in: scratch
                ).ended()
                return scratch.size("heard.aac") > 5000
            }
            try await until("it is heard \(stream.complaint)") { try await listen() }
            try await Servers.crash(first)
            try await until("the loss is told") { stream.complaint.contains("trying again") }
            unlink(scratch.file("heard.aac"))
            let second = try await Servers.icecast(folder, port: port, in: scratch)
            try await until("it is heard again \(stream.complaint)") { try await listen() }
            stream.send(SIGINT)
            try await stream.succeeded()
            expectOneOutage(stream)
            #expect(try await Recording("heard.aac", in: scratch).codecs() == ["aac"])
            second.send(SIGTERM)
            _ = try await second.ended()
        }
    }

    @Test func srtListenerIsKilledAndStartedAgain() async throws {
        try await withLiveNetwork { scratch in
            let port = try Net.freePort()
            let address = "srt://127.0.0.1:\(port)?mode=listener"
            let first = try await Servers.listener("first.ts", at: address, port: port, in: scratch)
            let stream = try scratch.ipn("stream", "net", "srt://127.0.0.1:\(port)")
            try await until("it is heard \(stream.complaint)") { scratch.size("first.ts") > 50_000 }
            try await Servers.crash(first)
            try await until("the loss is told") { stream.complaint.contains("trying again") }
            let second = try await Servers.listener("second.ts", at: address, port: port, in: scratch)
            try await until("it is heard again \(stream.complaint)") { scratch.size("second.ts") > 50_000 }
            stream.send(SIGINT)
            try await stream.succeeded()
            expectOneOutage(stream)
            _ = try await second.ended()
            let recording = Recording("second.ts", in: scratch)
            #expect(try await recording.packets().first?.isKey == true)
            try await recording.play()
        }
    }

    /// Neither one that is dead, nor one that has stopped reading, holds up the third.
    @Test func severalTargetsDoNotKnowOfEachOther() async throws {
        try await withLiveNetwork { scratch in
            let ports = try [Net.freePort(), Net.freePort()]
            let folder = try Servers.folder("nginx", in: scratch)
            let server = try await Servers.nginx(folder, port: ports[0], in: scratch)
            let stream = try scratch.ipn(
                "stream", "net", "rtmp://127.0.0.1:\(ports[0])/live/slow", "rtmp://127.0.0.1:\(ports[1])/live/dead", "hls/live.m3u8")
            try await scratch.awaitReaders(3, "net")
            try await until("nginx records \(stream.complaint)") { self.size("\(folder)/slow.flv") > 10_000 }
            server.send(SIGSTOP, toGroup: true)
            try await scratch.awaitProgress(of: "hls/live.m3u8", by: 300)
            stream.send(SIGINT)
            _ = try await stream.ended()
            // Each of those that failed has said so, once.
            let lines = stream.complaint.split(separator: "\n").filter { $0.contains("trying again") }
            #expect(lines.filter { $0.contains(":\(ports[1])/live/…") }.count == 1, "\(stream.complaint)")
            #expect(try await Recording("hls/live.m3u8", in: scratch).flaws(beginsAnywhere: true) == [])
            server.send(SIGKILL, toGroup: true)
        }
    }

    @Test func itGivesUpAfterSoManyTries() async throws {
        try await withLiveNetwork { scratch in
            let port = try Net.freePort()
            let stream = try scratch.ipn("stream", "net", "rtmp://127.0.0.1:\(port)/live/x", "--retries", "2")
            #expect(try await stream.ended().status == 1)
            let lines = stream.complaint.split(separator: "\n")
            #expect(lines.count == 2 && lines[0].contains("trying again, 2 times"), "\(stream.complaint)")
            #expect(lines.last?.contains("connection refused") == true, "\(stream.complaint)")
        }
    }
}
