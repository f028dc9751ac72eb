import Foundation
import Glibc
import Testing

/// Servers that are there and do not want the stream.
@Suite(.onStage) struct RefusalTests {
    /// Streams to a server that refuses for a while, which is told once, and has failed.
    private func refused(_ address: String, _ words: String..., in scratch: Scratch) async throws {
        let stream = try scratch.ipn("stream", "net", address, "--duration", "6")
        #expect(try await stream.ended().status == 1, "\(stream.complaint)")
        let lines = stream.complaint.split(separator: "\n")
        #expect(lines.count == 1 && lines[0].contains("trying again until it is there"), "\(stream.complaint)")
        for word in words { #expect(stream.complaint.contains(word), "\(word) in: \(stream.complaint)") }
        #expect(!stream.complaint.contains("secret"))
    }

    /// Such a server says yes to the connection, and hangs up later.
    @Test func rtmpServerDoesNotLetUsPublish() async throws {
        try await withLiveNetwork { scratch in
            let port = try Net.freePort()
            let server = try await Servers.nginx(Servers.folder("nginx", in: scratch), port: port, rules: "deny publish all;", in: scratch)
            try await refused("rtmp://127.0.0.1:\(port)/live/cam", "rtmp://127.0.0.1", in: scratch)
            server.send(SIGTERM)
            try await server.succeeded()
        }
    }

    @Test(arguments: [(401, "user and password"), (403, "user and password"), (404, "no such stream")])
    func webServerSaysNo(status: Int, word: String) async throws {
        try await withLiveNetwork { scratch in
            let port = try Net.freePort()
            let server = try await Servers.web(Servers.folder("nginx", in: scratch), port: port, answering: status, in: scratch)
            // With a password libavformat asks the server first by itself; without, it would not.
            for user in ["", "me:secret@"] { try await refused("http://\(user)127.0.0.1:\(port)/cam.ts", word, in: scratch) }
            server.send(SIGTERM)
            try await server.succeeded()
        }
    }

    @Test func icecastDoesNotKnowThePassword() async throws {
        try await withLiveNetwork { scratch in
            let port = try Net.freePort()
            let server = try await Servers.icecast(Servers.folder("icecast", in: scratch), port: port, in: scratch)
            try await refused("icecast://source:secret@127.0.0.1:\(port)/cam.aac", "user and password", in: scratch)
            server.send(SIGTERM)
            _ = try await server.ended()
        }
    }

    /// Where the stream is ended amid one more connection that came to nothing, nothing more is said.
    @Test func whoIsThrownOutOnceMoreAtTheEndIsToldOnce() async throws {
        try await withLiveNetwork { scratch, publisher in
            let port = try Net.freePort()
            let stream = try scratch.ipn("stream", "net", "http://127.0.0.1:\(port)/cam.ts")
            try await until("the outage is told") { stream.complaint.contains("trying again") }
            try await scratch.awaitProgress(of: stream, by: 60)
            // What is kept is all that there will be: the stream finds out at its end.
            try await publisher.suspend()
            let script = """
                import socket, struct
                server = socket.create_server(("127.0.0.1", \(port)))
                while True:
                    client = server.accept()[0]
                    client.settimeout(0.5)
                    try:
                        client.recv(4096)
                        client.sendall(b"HTTP/1.1 100 Continue\\r\\n\\r\\n")
                        while client.recv(65536): pass
                    except TimeoutError: pass
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    client.close()
                    print("thrown out", flush=True)
                """
            let server = try Program(["/usr/bin/python3", "-c", script], in: scratch)
            try await until("it is thrown out \(server.complaint)") { !server.output.isEmpty }
            stream.send(SIGINT)
            #expect(try await stream.ended().status == 1, "\(stream.complaint)")
            #expect(stream.complaint.split(separator: "\n").count == 1, "\(stream.complaint)")
            server.send(SIGKILL)
            publisher.resume()
        }
    }
}
