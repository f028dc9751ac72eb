import Foundation
import Glibc
import Testing

/// Servers as people run them, on loopback.
enum Servers {
    static func write(_ text: String, _ path: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }

    /// A folder for a server that may run as another user.
    static func folder(_ name: String, in scratch: Scratch) throws -> String {
        let folder = scratch.log(name)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        chmod(folder, 0o777)
        return folder
    }

    /// nginx with its RTMP module: the application `live` records what comes into `folder`.
    /// - Parameter rules: more of what is said of that application.
    static func nginx(_ folder: String, port: Int, rules: String = "", in scratch: Scratch) async throws -> Program {
        try await nginx(
            folder, "rtmp { server { listen 127.0.0.1:\(port); application live { live on; record all; record_path \(folder); \(rules) } } }",
            port: port, in: scratch)
    }

    /// nginx as a web server that answers every request with that status.
    static func web(_ folder: String, port: Int, answering status: Int, in scratch: Scratch) async throws -> Program {
        try await nginx(
            folder, "http { access_log off; server { listen 127.0.0.1:\(port); location / { return \(status); } } }", port: port, in: scratch)
    }

    private static func nginx(_ folder: String, _ servers: String, port: Int, in scratch: Scratch) async throws -> Program {
        let module = "/usr/lib/nginx/modules/ngx_rtmp_module.so"
        try #require(access(module, R_OK) == 0, "Tools/setup test installs nginx and libnginx-mod-rtmp")
        try write(
            """
            load_module \(module);
            \(geteuid() == 0 ? "user root;" : "")
            daemon off;
            worker_processes 1;
            pid \(folder)/pid;
            error_log \(folder)/error.log;
            events { worker_connections 64; }
            \(servers)
            """, "\(folder)/nginx.conf")
        let server = try Program(["nginx", "-p", folder, "-c", "\(folder)/nginx.conf"], in: scratch)
        try await until("nginx answers \(server.complaint)") { Net.answers(port) }
        return server
    }

    /// Icecast, whose sources' password is `hackme`.
    static func icecast(_ folder: String, port: Int, in scratch: Scratch) async throws -> Program {
        try #require(access("/usr/bin/icecast2", R_OK) == 0, "Tools/setup test installs icecast2")
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
        var server = try Program(["icecast2", "-c", "\(folder)/icecast.xml"], in: scratch)
        try await until("icecast answers") {
            // It gives up where connections to the one before it still linger at the port.
            if !server.isRunning { server = try Program(["icecast2", "-c", "\(folder)/icecast.xml"], in: scratch) }
            return Net.answers(port)
        }
        return server
    }

    /// GStreamer's RTSP server, which takes H.264 and AAC that is pushed to `/cam`, and writes a Matroska file.
    static func rtspRecorder(_ file: String, port: Int, in scratch: Scratch) async throws -> Program {
        let script = URL(fileURLWithPath: Fixture.bunny).deletingLastPathComponent().appendingPathComponent("rtsp-recorder.py").path
        let server = try Program(["/usr/bin/python3", script, "\(port)", scratch.file(file)], in: scratch)
        try await until("the server answers \(server.complaint)") { Net.answers(port) }
        return server
    }

    /// ffmpeg that listens, and writes what it hears to a file.
    static func listener(_ file: String, at address: String, port: Int, in scratch: Scratch) async throws -> Program {
        let listener = try Program(
            [
                "ffmpeg", "-v", "error", "-y", "-analyzeduration", "1000000", "-i", address, "-map", "0", "-c", "copy",
                "-flush_packets", "1", scratch.file(file),
            ], in: scratch)
        try await until("ffmpeg listens \(listener.complaint)") { Net.isBound(udp: port) }
        return listener
    }

    /// Ends a server as a crash would, and all that it has started.
    static func crash(_ server: Program) async throws {
        server.send(SIGKILL, toGroup: true)
        _ = try await server.ended()
        try await until("all of \(server.line) are gone") { server.groupMembers.isEmpty }
    }
}
