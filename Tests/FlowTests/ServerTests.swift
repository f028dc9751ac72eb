import Foundation
import Glibc
import Testing

/// Streams into servers as people run them: nginx with its RTMP module, Icecast.
@Suite(.onStage) struct ServerTests {
    @Test func rtmpIntoNginx() async throws {
        let scratch = try Scratch()
        let port = try Net.freePort()
        let folder = try Servers.folder("nginx", in: scratch)
        let server = try await Servers.nginx(folder, port: port, in: scratch)

        let publisher = try scratch.ipn("publish", Fixture.bunny, "net", "--wait-readers", "1")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let stream = try scratch.ipn("stream", "net", "rtmp://127.0.0.1:\(port)/live/cam")
        try await publisher.succeeded()
        try await stream.succeeded()
        let file = "\(folder)/cam.flv"
        let wanted = try await Recording(Fixture.bunny, in: scratch).contents("v")
        try await until("nginx has recorded it") {
            access(file, R_OK) == 0 && kill(server.processID, 0) == 0 && Self.isClosed(file, by: server)
        }
        let received = Recording(file, in: scratch)
        #expect(try await received.codecs() == ["h264", "aac"])
        // Nothing changed and nothing missing.
        #expect(try await received.contents("v") == wanted)
        try await received.play()
        server.send(SIGTERM)
        try await server.succeeded()
        try await scratch.expectNothingLeft()
    }

    /// Whether nobody of its group holds the file open any more.
    private static func isClosed(_ file: String, by server: Program) -> Bool {
        !server.groupMembers.contains { id in
            let folder = "/proc/\(id)/fd"
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            return names.contains { (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")) == file }
        }
    }

    @Test(arguments: [("ogg", "libvorbis", "vorbis"), ("ogg", "libopus", "opus"), ("mp3", "libmp3lame", "mp3")])
    func soundIntoIcecast(container: String, encoder: String, codec: String) async throws {
        let scratch = try Scratch()
        let port = try Net.freePort()
        let server = try await Servers.icecast(Servers.folder("icecast", in: scratch), port: port, in: scratch)

        try await tool(
            "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=12", "-ac", "2", "-c:a", encoder,
            scratch.file("sine.\(container)"), in: scratch)
        let mount = "127.0.0.1:\(port)/cam.\(container)"
        let publisher = try scratch.ipn("publish", "sine.\(container)", "net", "--wait-readers", "1")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let stream = try scratch.ipn("stream", "net", "icecast://source:hackme@\(mount)")
        // The mount comes with the first sound; who fetches it then gets it to the end.
        try await until("the mount has been fetched") {
            // The server may cut a listener off with its source, which curl reports; what came counts, and a 404 is nothing.
            _ = try await Program(["curl", "-sf", "-o", scratch.file("got.\(container)"), "http://\(mount)"], in: scratch).ended()
            return access(scratch.file("got.\(container)"), R_OK) == 0
        }
        try await publisher.succeeded()
        try await stream.succeeded()
        let received = Recording("got.\(container)", in: scratch)
        #expect(try await received.codecs() == [codec])
        #expect(try await received.packets("a").count > 20)
        server.send(SIGTERM)
        _ = try await server.ended()
        try await scratch.expectNothingLeft()
    }
}
