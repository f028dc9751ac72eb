import Foundation
import Glibc
import Testing

/// What cannot be written is refused in one line; the publisher and the others go on.
@Suite(.onStage) struct BadOutputTests {
    /// A live network with a recorder that must not suffer.
    private func withLiveNetwork(_ body: (Scratch) async throws -> Void) async throws {
        let scratch = try Scratch()
        let publisher = try scratch.ipn("publish", "test:", "net")
        try await until("the network is there") { try await scratch.show("net")?.writers == 1 }
        let good = try scratch.ipn("record", "net", "good.mkv")
        try await scratch.awaitProgress(of: "good.mkv", by: 30)
        try await body(scratch)
        publisher.send(SIGINT)
        try await publisher.succeeded()
        try await good.succeeded()
        #expect(try await Recording("good.mkv", in: scratch).flaws() == [])
        try await scratch.expectNothingLeft()
    }

    @Test func whatTheOutputCannotBe() async throws {
        try await withLiveNetwork { scratch in
            try FileManager.default.createDirectory(atPath: scratch.file("folder.mkv"), withIntermediateDirectories: false)
            try Data("precious".utf8).write(to: URL(fileURLWithPath: scratch.file("old.mkv")))
            try await expectComplaint(
                try scratch.ipn("record", "net", "x.webm"), status: 1, "x.webm: ", "webm cannot hold h264", "write .mkv")
            try await expectComplaint(
                try scratch.ipn("record", "net", "x.ogg"), status: 1, "x.ogg: ogg does not take h264, aac", "write .mkv", "--streams")
            // Who has chosen is not told to choose, and nobody to ask what a file is that was not made.
            let chosen = try scratch.ipn("record", "net", "x.ogg", "--streams", "audio")
            try await expectComplaint(chosen, status: 1, "x.ogg: ogg does not take aac", "write .mkv")
            #expect(!chosen.complaint.contains("--streams") && !chosen.complaint.contains("ffprobe"))
            try await expectComplaint(try scratch.ipn("record", "net", "x"), status: 1, "x: ", "container", "name a format")
            try await expectComplaint(
                try scratch.ipn("record", "net", "old.mkv"), status: 1, "old.mkv: ", "the file exists", "name another")
            try await expectComplaint(try scratch.ipn("record", "net", "folder.mkv"), status: 1, "folder.mkv: ", "irectory")
            try await expectComplaint(
                try scratch.ipn("record", "net", "nowhere/x.mkv"), status: 1, "nowhere/x.mkv: ", "no such file or folder")
            try await expectComplaint(
                try scratch.ipn("record", "net", "x.mp4", "--option", "fast=1"), status: 1, "x.mp4: ", "no option fast", "ffmpeg -h")
            try await expectComplaint(
                try scratch.ipn("record", "net", "/dev/full", "--format", "matroska"), status: 1, "/dev/full: ", "no space left", "free some")
            try await expectComplaint(try scratch.ipn("record", "net", "x.mkv", "--quick"), status: 2, "--quick", "--help")
            #expect(try String(contentsOfFile: scratch.file("old.mkv"), encoding: .utf8) == "precious")
            #expect(try scratch.names() == ["folder.mkv", "good.mkv", "net", "old.mkv"])
            // Asked to, it replaces the file.
            try await scratch.ipn("record", "net", "old.mkv", "--overwrite", "--duration", "3").succeeded()
            #expect(try await Recording("old.mkv", in: scratch).flaws() == [])
        }
    }

    @Test func addressesWhereNobodyListens() async throws {
        try await withLiveNetwork { scratch in
            let port = try Net.freePort()
            func stream(_ address: String) throws -> Program { try scratch.ipn("stream", "net", address, "--no-reconnect") }
            let rtmp = try stream("rtmp://me:secret@127.0.0.1:\(port)/live/hunter2?key=secret")
            try await expectComplaint(
                rtmp, status: 1, "rtmp://me:…@127.0.0.1:\(port)/live/…?key=…: ", "connection refused", "server is running")
            #expect(!rtmp.complaint.contains("secret") && !rtmp.complaint.contains("hunter2"))
            // Once is enough.
            #expect(rtmp.complaint.matches(of: /refused/.ignoresCase()).count == 1, "\(rtmp.complaint)")
            try await expectComplaint(
                try stream("icecast://source:secret@127.0.0.1:\(port)/x.aac"), status: 1, "127.0.0.1:\(port)", "connection refused",
                "server is running")
            try await expectComplaint(
                try stream("srt://127.0.0.1:\(port)"), status: 1, "srt://127.0.0.1:\(port): ", "cannot be opened",
                "somebody listens")
            try await expectComplaint(
                try scratch.ipn("stream", "net", "gopherd://127.0.0.1/x"), status: 1, "gopherd:", "ffmpeg -protocols")
            try await expectComplaint(
                try scratch.ipn("stream", "net", "x.m3u8", "--retries", "-1"), status: 2, "--retries")
            #expect(try scratch.names() == ["good.mkv", "net"])
        }
    }

    @Test(.enabled(if: geteuid() == 0, "takes root, to become another user"))
    func whoHasNoRightIsToldSo() async throws {
        try await withLiveNetwork { scratch in
            let tool = try await scratch.copiedTool()
            func stranger(_ arguments: String...) throws -> Program {
                try Program(
                    ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", tool] + arguments, in: scratch)
            }
            try await expectComplaint(try stranger("record", "net", "x.mkv"), status: 4, "net: ", "no right", "chmod")
            try await expectComplaint(try stranger("publish", "test:", "net"), status: 4, "net: ", "no right", "chmod")
            // Who may only look may not publish.
            chmod(scratch.file("net"), 0o744)
            try await expectComplaint(try stranger("publish", "test:", "net"), status: 4, "net: ", "no right", "chmod")
            #expect(try scratch.names() == ["good.mkv", "net"])
            try await stranger("record", "net", "x.mkv", "--duration", "3").succeeded()
            #expect(try await Recording("x.mkv", in: scratch).flaws() == [])
        }
    }

    /// Neither one who asks for it, nor one who began at the same moment, takes a file from its recorder.
    @Test func aFileThatIsBeingRecordedIsNobodyElses() async throws {
        try await withLiveNetwork { scratch in
            let recorder = try scratch.ipn("record", "net", "x.mp4")
            try await scratch.awaitProgress(of: "x.mp4")
            try await expectComplaint(
                try scratch.ipn("record", "net", "x.mp4", "--overwrite"), status: 1, "x.mp4: is being recorded", "name another")
            let check = try scratch.ipn("check", "x.mp4")
            #expect(try await check.ended().status == 5)
            #expect(check.output.contains("x.mp4: being recorded: "), "\(check.output)")
            try await scratch.awaitProgress(of: "x.mp4")
            recorder.send(SIGINT)
            try await recorder.succeeded()
            #expect(try await Recording("x.mp4", in: scratch).flaws() == [])
        }
        let scratch = try Scratch()
        let tee = try scratch.ipn("tee", "test:", "--record", "a.mp4", "--record", "a.mp4", "--overwrite", "--duration", "2")
        #expect(try await tee.ended().status == 1)
        #expect(tee.complaint.split(separator: "\n").filter { $0.hasPrefix("ipn: a.mp4: is being recorded") }.count == 1, "\(tee.complaint)")
        #expect(try await Recording("a.mp4", in: scratch).flaws() == [])
        try await scratch.expectNothingLeft()
    }

    /// The muxers of playlists would say nothing, and write nothing.
    @Test(.enabled(if: geteuid() == 0, "takes root, to mount a disk"), arguments: ["x.m3u8", "x.mpd"])
    func aDiskThatTakesNothing(playlist: String) async throws {
        try await withLiveNetwork { scratch in
            let disk = scratch.file("disk")
            try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
            try await tool("mount", "-t", "tmpfs", "-o", "ro", "none", disk, in: scratch)
            defer { _ = umount2(disk, CInt(MNT_DETACH)) }
            try await expectComplaint(
                try scratch.ipn("stream", "net", "disk/\(playlist)", "--duration", "1"), status: 4, "disk/\(playlist): ",
                "Read-only file system", "check the rights")
        }
    }

    /// What was not sent is not counted.
    @Test func anAddressThatNeverAnsweredHasHadNothing() async throws {
        let scratch = try Scratch()
        let port = try Net.freePort()
        let tee = try scratch.ipn("tee", "test:", "--record", "a.mkv", "--stream", "tcp://127.0.0.1:\(port)", "--duration", "2")
        #expect(try await tee.ended().status == 1)
        #expect(tee.complaint.contains(/\nrecord +[1-9][0-9]* frames/), "\(tee.complaint)")
        #expect(tee.complaint.contains(/\nstream +0 frames .* failed/), "\(tee.complaint)")
        try await scratch.expectNothingLeft()
    }

    /// What was written before the disk was full stays, and can be read.
    @Test(.enabled(if: geteuid() == 0, "takes root, to mount a small disk"))
    func aDiskThatFillsUp() async throws {
        try await withLiveNetwork { scratch in
            let disk = scratch.file("disk")
            try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
            try await tool("mount", "-t", "tmpfs", "-o", "size=128k", "none", disk, in: scratch)
            defer { _ = umount2(disk, CInt(MNT_DETACH)) }
            try await expectComplaint(
                try scratch.ipn("record", "net", "disk/x.mkv"), status: 1, "disk/x.mkv: ", "no space left", "free some")
            #expect(try await Recording("disk/x.mkv", in: scratch).packets().first?.isKey == true)
        }
    }
}
