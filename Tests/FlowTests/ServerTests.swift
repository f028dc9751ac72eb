import Foundation
import Glibc
import Testing

/// Streams into servers as people run them: nginx with its RTMP module, Icecast.
@Suite(.onStage) struct ServerTests {
    private func has(_ paths: String...) -> Bool { paths.contains { access($0, R_OK) == 0 } }

    private func write(_ text: String, _ path: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }

    @Test func rtmpIntoNginx() async throws {
        let scratch = try Scratch()
        let module = "/usr/lib/nginx/modules/ngx_rtmp_module.so"
        try #require(has(module), "Tools/setup test installs nginx and libnginx-mod-rtmp")
        let port = try Net.freePort()
        let folder = scratch.log("nginx")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        chmod(folder, 0o777)
        try write(
            """
            load_module \(module);
            \(geteuid() == 0 ? "user root;" : "")
            daemon off;
            worker_processes 1;
            pid \(folder)/pid;
            error_log \(folder)/error.log;
            events { worker_connections 64; }
            rtmp { server { listen 127.0.0.1:\(port); application live { live on; record all; record_path \(folder); } } }
            """, "\(folder)/nginx.conf")
        let server = try Program(["nginx", "-p", folder, "-c", "\(folder)/nginx.conf"], in: scratch)
        try await until("nginx answers \(server.complaint)") { Net.answers(port) }

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
        try #require(has("/usr/bin/icecast2"), "Tools/setup test installs icecast2")
        let port = try Net.freePort()
        let folder = scratch.log("icecast")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        chmod(folder, 0o777)
        let owner = geteuid() == 0 ? "<changeowner><user>nobody</user><group>nogroup</group></changeowner>" : ""
        try write(
            """
            <icecast><hostname>localhost</hostname>
            <limits><clients>20</clients><sources>4</sources><burst-size>65536</burst-size></limits>
            <authentication><source-password>hackme</source-password><admin-user>admin</admin-user>
            <admin-password>hackme</admin-password></authentication>
            <listen-socket><port>\(port)</port><bind-address>127.0.0.1</bind-address></listen-socket>
            <paths><basedir>\(folder)</basedir><logdir>\(folder)</logdir><webroot>/usr/share/icecast2/web</webroot>
            <adminroot>/usr/share/icecast2/admin</adminroot></paths>
            <logging><errorlog>error.log</errorlog><accesslog>access.log</accesslog></logging>
            <security><chroot>0</chroot>\(owner)</security></icecast>
            """, "\(folder)/icecast.xml")
        let server = try Program(["icecast2", "-c", "\(folder)/icecast.xml"], in: scratch)
        try await until("icecast answers \(server.complaint)") { Net.answers(port) }

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
