import Foundation
import Glibc
import Testing

/// `ipn record --since`: a recording that begins in the past.
@Suite(.onStage) struct SinceTests {
    @Test func beginsAsLongAgoAsAsked() async throws {
        let scratch = try Scratch()
        // A key frame every 0.2 s; the first waits for who has it all.
        let publisher = try scratch.ipn("publish", "test:gop=5", "net", "--history", "60s", "--wait-readers", "1")
        try await until("the network is there") { try await scratch.show("net")?.writers == 1 }
        let whole = try scratch.ipn("record", "net", "whole.mkv")
        // 72 messages a second at most: what is there is older than a second.
        try await scratch.awaitProgress(of: "whole.mkv", by: 150)
        var recorders = [whole]
        for (name, options) in [("past.mkv", ["--since", "50s"]), ("second.mkv", ["--since", "1s"]), ("last.mkv", [])] {
            recorders.append(try scratch.ipn(["record", "net", name] + options))
            try await scratch.awaitProgress(of: name, by: 1)
        }
        publisher.send(SIGINT)
        try await publisher.succeeded()
        for recorder in recorders { try await recorder.succeeded() }
        var contents: [[String]] = []
        for name in ["whole.mkv", "past.mkv", "second.mkv", "last.mkv"] {
            let recording = Recording(name, in: scratch)
            #expect(try await recording.packets().first?.isKey == true)
            contents.append(try await recording.contents("v"))
        }
        #expect(contents[1] == contents[0], "all of it is less than 50 s old")
        #expect(contents[2].count < contents[1].count && contents[3].count < contents[2].count, "\(contents.map(\.count))")
        // Without a gap between what was kept and what came.
        for part in contents[2...] { #expect(part == Array(contents[0].suffix(part.count))) }
        try await scratch.expectNothingLeft()
    }
}
