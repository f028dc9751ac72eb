import Foundation
import Glibc
import Testing

/// Cameras behind an address that go away and come back: one network, whole recordings, one line for each.
@Suite(.onStage) struct InputReconnectTests {
    /// - Parameter start: starts the server; called again after it was killed.
    private func survives(_ address: String, in scratch: Scratch, start: () async throws -> Program) async throws {
        let first = try await start()
        let publisher = try scratch.ipn("publish", address, "net", "--wait")
        try await until("the network is there \(publisher.complaint)") { try await scratch.show("net") != nil }
        let recorder = try scratch.ipn("record", "net", "copy.mkv")
        try await scratch.awaitProgress(of: "copy.mkv", by: 50)
        try await Servers.crash(first)
        try await until("the loss is told \(publisher.complaint)") { publisher.complaint.contains("waiting for it to come back") }
        let waits = { @Sendable in try await scratch.show("net")?.nodes.contains { $0.description.hasSuffix(", waiting") } == true }
        try await until("ipn show says so") { try await waits() }
        // Who comes meanwhile is told what there will be.
        let newcomer = try scratch.ipn("record", "net", "newcomer.mkv")
        try await until("the newcomer hears something: \(newcomer.complaint)") {
            try await scratch.show("net")?.nodes.contains { $0.pid == newcomer.processID && $0.received > 0 } == true
        }
        let second = try await start()
        try await until("it is there again \(publisher.complaint)") { publisher.complaint.contains("there again after") }
        try await scratch.awaitProgress(of: "copy.mkv", by: 50)
        #expect(try await !waits())
        publisher.send(SIGINT)
        try await publisher.succeeded()
        try await recorder.succeeded()
        try await newcomer.succeeded()
        try await Servers.crash(second)
        #expect(publisher.complaint.split(separator: "\n").count == 2, "\(publisher.complaint)")
        // Where the server describes its streams in other words, the rest is a recording of its own.
        let files = try scratch.names().filter { $0.hasPrefix("copy") }
        #expect(files.count <= 2)
        for file in files {
            let packets = try await Recording(file, in: scratch).packets()
            #expect(packets.first?.isKey == true && packets.map(\.pts) == packets.map(\.pts).sorted())
            try await Recording(file, in: scratch).play()
        }
    }

    /// What is of no use while nobody looks is closed: the server may go and come back meanwhile, and nothing old waits in the connection.
    @Test func onDemandTheConnectionIsClosed() async throws {
        let scratch = try Scratch()
        let port = try Net.freePort()
        let origin = try scratch.ipn("publish", "test:size=160x90,gop=25", "origin")
        try await until("the origin is there") { try await scratch.show("origin") != nil }
        func serve() async throws -> Program {
            let server = try scratch.ipn("serve", "origin", "--listen", "127.0.0.1:\(port)")
            try await until("it serves \(server.complaint)") { server.complaint.hasSuffix("/\n") }
            return server
        }
        var server = try await serve()
        let publisher = try scratch.ipn("publish", "http://127.0.0.1:\(port)/stream.ts", "net", "--on-demand", "--rest-after", "0")
        for round in 1...3 {
            try await until("it rests \(publisher.complaint)") {
                try await scratch.show("net")?.nodes.contains { $0.description.hasSuffix(", resting") } == true
            }
            try await Servers.crash(server)
            server = try await serve()
            try await scratch.ipn("record", "net", "\(round).mkv", "--duration", "2").succeeded()
            #expect(try await Recording("\(round).mkv", in: scratch).packets().first?.isKey == true)
        }
        publisher.send(SIGINT)
        try await publisher.succeeded()
        #expect(publisher.complaint == "")
        try await Servers.crash(server)
        origin.send(SIGINT)
        try await origin.succeeded()
        try await scratch.expectNothingLeft()
    }

    @Test func rtspCameraIsKilledAndStartedAgain() async throws {
        let scratch = try Scratch()
        let port = try Net.freePort()
        let script = URL(fileURLWithPath: Fixture.bunny).deletingLastPathComponent().appendingPathComponent("rtsp-camera.py").path
        try await survives("rtsp://127.0.0.1:\(port)/cam", in: scratch) {
            let server = try Program(["/usr/bin/python3", script, "\(port)"], in: scratch)
            try await until("the camera answers \(server.complaint)") { Net.answers(port) }
            return server
        }
        try await scratch.expectNothingLeft()
    }

    @Test func httpStreamIsKilledAndStartedAgain() async throws {
        let scratch = try Scratch()
        let port = try Net.freePort()
        let origin = try scratch.ipn("publish", "test:size=160x90", "origin")
        try await until("the origin is there") { try await scratch.show("origin") != nil }
        try await survives("http://127.0.0.1:\(port)/stream.ts", in: scratch) {
            let server = try scratch.ipn("serve", "origin", "--listen", "127.0.0.1:\(port)")
            try await until("it serves \(server.complaint)") { server.complaint.hasSuffix("/\n") }
            return server
        }
        origin.send(SIGINT)
        try await origin.succeeded()
        try await scratch.expectNothingLeft()
    }
}
