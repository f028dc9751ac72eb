import Foundation

/// A folder that goes with the test.
final class Scratch {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("ipn-test-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }
    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name)) }
    func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
}

enum Fixture {
    /// H.264 without B-frames and AAC 5.1.
    static let bunny = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fixtures/bigbuckbunny.mp4").path

    /// Three seconds of H.264 with B-frames and AAC with an encoder's padding, so that time stamps begin
    /// below zero; made on the spot.
    static func bFrames(in scratch: Scratch) throws -> String {
        let path = scratch.file("b-frames.mp4")
        try Command.run(
            "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=3", "-f", "lavfi", "-i",
            "sine=duration=3", "-c:v", "libx264", "-g", "25", "-bf", "2", "-c:a", "aac", path)
        return path
    }
}
