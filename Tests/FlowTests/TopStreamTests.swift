import Foundation
import Glibc
import Testing

/// What `ipn top` says of the media on a network.
@Suite(.onStage) struct TopStreamTests {
    private struct Look: Decodable {
        struct Network: Decodable { let nodes: [Node] }
        struct Node: Decodable {
            let sends: Bool
            let streams: [Stream]
        }
        struct Stream: Decodable, Equatable {
            let codec: String
            let width, height: Int?
        }
        let networks: [Network]
    }

    /// Each with what it is and how large, also where many have names that are longer than a line.
    @Test func streamsAreThereInParts() async throws {
        let scratch = try Scratch()
        let maps = (0..<6).flatMap { _ in ["-map", "0:v", "-map", "1:a"] }
        try await tool(
            ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=5:duration=30", "-f", "lavfi", "-i", "sine=duration=30"]
                + maps + ["-c:v", "mpeg2video", "-c:a", "pcm_s16le", "many.mkv"], in: scratch)
        let publisher = try scratch.ipn("publish", "many.mkv", "net")
        try await until("the network is there \(publisher.complaint)") { try await scratch.show("net")?.writers == 1 }
        let top = try scratch.ipn("top", "net", "--json", "--once", "--interval", "0.1")
        try await top.succeeded()
        let nodes = try JSONDecoder().decode(Look.self, from: Data(top.output.utf8)).networks.flatMap(\.nodes)
        let streams = nodes.first { $0.sends }?.streams ?? []
        #expect(streams.count >= 2 && streams.allSatisfy { $0.codec == "pcm_s16le" || ($0.codec, $0.width, $0.height) == ("mpeg2video", 1280, 720) })
        publisher.send(SIGINT)
        try await publisher.succeeded()
        try await scratch.expectNothingLeft()
    }

    /// On a narrow screen the figures are what one looks for, and of a long path its end.
    @Test func aLongPathIsShortened() async throws {
        try await withLiveNetwork { scratch in
            let folder = scratch.file(String(repeating: "deep/", count: 14))
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let publisher = try scratch.ipn("publish", "test:", folder + "cam")
            try await until("the network is there") { try await scratch.show(folder + "cam")?.writers == 1 }
            let screen = try Program(
                [
                    "script", "-qec", "stty cols 80 rows 24; timeout -s INT 2 '\(Scratch.executable)' top '\(folder)cam' --interval 0.3", "/dev/null",
                ], in: scratch, environment: ["TERM": "xterm"])
            _ = try await screen.ended()
            let lines = screen.output.split(separator: "\n")
            #expect(lines.contains { $0.contains("…") && $0.contains("/cam  lossy") && $0.contains(" lost") }, "\(screen.output)")
            publisher.send(SIGINT)
            try await publisher.succeeded()
        }
    }
}
