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
}
