import Foundation
import Glibc
import Testing

/// Small disks that fill up under a recorder.
@Suite(.onStage, .enabled(if: geteuid() == 0, "takes root, to mount a small disk")) struct RecordDiskTests {
    private func withDisk(_ size: String, _ body: (Scratch) async throws -> Void) async throws {
        let scratch = try Scratch()
        let disk = scratch.file("disk")
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
        try await tool("mount", "-t", "tmpfs", "-o", "size=\(size)", "none", disk, in: scratch)
        defer { _ = umount2(disk, CInt(MNT_DETACH)) }
        try await body(scratch)
    }

    private func freeBytes(_ path: String) -> UInt64 {
        var status = statvfs()
        return statvfs(path, &status) == 0 ? UInt64(status.f_bavail) * UInt64(status.f_frsize) : 0
    }

    /// The file is ended well while there is room to: it is an ordinary one, and the disk is not full.
    @Test(arguments: ["x.mp4", "x.mkv"]) func theFileIsEndedBeforeTheDiskIsFull(name: String) async throws {
        try await withDisk("2m") { scratch in
            let publisher = try scratch.ipn("publish", "--fast", "--loop", "--lossless", "--wait-readers", "1", Fixture.bunny, "net")
            try await until("the network is there") { try await scratch.show("net") != nil }
            try await expectComplaint(
                try scratch.ipn("record", "net", "disk/\(name)"), status: 1, "disk/\(name): ", "no space left but a reserve", "free some")
            #expect(freeBytes(scratch.file("disk")) > 0)
            try await scratch.ipn("check", "disk/\(name)").succeeded()
            try await Recording("disk/\(name)", in: scratch).play()
            publisher.send(SIGINT)
            try await publisher.succeeded()
            try await scratch.expectNothingLeft()
        }
    }

    /// Lists of files end as well: what is listed is there, and the list can be read.
    @Test(arguments: ["live.m3u8", "live.mpd"]) func aStreamOfFilesIsEndedBeforeTheDiskIsFull(name: String) async throws {
        try await withDisk("3m") { scratch in
            let publisher = try scratch.ipn("publish", "--fast", "--loop", "--lossless", "--wait-readers", "1", Fixture.bunny, "net")
            try await until("the network is there") { try await scratch.show("net") != nil }
            let window = name.hasSuffix("mpd") ? "window_size=0" : "hls_list_size=0"
            try await expectComplaint(
                try scratch.ipn("stream", "net", "disk/\(name)", "--option", window), status: 1, "disk/\(name): ",
                "no space left but a reserve", "the stream has ended", "free some")
            #expect(freeBytes(scratch.file("disk")) > 0)
            let recording = Recording("disk/\(name)", in: scratch)
            #expect(try await recording.packets().count > 100)
            try await recording.play()
            publisher.send(SIGINT)
            try await publisher.succeeded()
            try await scratch.expectNothingLeft()
        }
    }

    /// The oldest go where they may, and the recording goes on.
    @Test func theOldestGoWhereTheyMay() async throws {
        try await withDisk("2m") { scratch in
            let film = try await SegmentTests.film(scratch, seconds: 240)
            let publisher = try await SegmentTests.publish(film, scratch)
            let recorder = try scratch.ipn("record", "net", "disk/cam.mp4", "--segment", "10s", "--keep", "24h")
            try await publisher.succeeded()
            try await recorder.succeeded()
            #expect(recorder.complaint.contains("nearly full") && recorder.complaint.contains("removed"), "\(recorder.complaint)")
            let index = try SegmentTests.index("disk/cam.json", scratch).segments
            #expect(index.last?.ended == "stream" && index.last?.name == "cam-24.mp4")
            #expect(index.first?.name != "cam.mp4")
            for segment in index { try await scratch.ipn("check", "disk/\(segment.name)").succeeded() }
        }
    }
}
