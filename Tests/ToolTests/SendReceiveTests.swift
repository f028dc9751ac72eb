import Foundation
import Glibc
import IPN
import Testing
import TestSupport

/// send and receive, as in a shell.
@Suite struct SendReceiveTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    private func create(_ options: String...) throws { try Tool.succeed(["create", path] + options) }

    /// Starts a receiver, and returns once it is on the network.
    private func receiver(_ options: String...) throws -> Child {
        let before = try NetworkStatus(of: path).readers
        let child = try Tool.start(["receive", path] + options)
        try eventually("it receives") { try NetworkStatus(of: path).readers > before }
        return child
    }

    @Test func linesArriveAsLines() throws {
        try create("--lossless")
        let receivers = try [receiver("--count", "3"), receiver("--until-no-writers")]
        try Tool.succeed(["send", path], input: "one\n\nthree")
        for receiver in receivers {
            let result = try receiver.finish()
            #expect(result.status == 0 && result.text == "one\n\nthree\n" && result.errors.isEmpty)
        }
        try Tool.succeed(["remove", path])
    }

    @Test func anythingGoesThroughUnchangedWithRaw() throws {
        try create("--lossless", "--mtu", "64K")
        var random = SeededRandom(31)
        let bytes = (0..<1_000_003).map { _ in UInt8.random(in: 0...255, using: &random) }
        let child = try receiver("--raw", "--until-no-writers")
        // Both at once: what fills a pipe on one side has to be read on the other.
        let sender = try Tool.start(["send", path, "--block", "64K"])
        let writing = Thread {
            try? sender.write(bytes)
            sender.endInput()
        }
        writing.start()
        #expect(try child.finish().output == bytes)
        let sent = try sender.finish()
        #expect(sent.status == 0 && sent.errors.isEmpty)
        try Tool.succeed(["remove", path])
    }

    @Test func blocksAreMessages() throws {
        try create("--lossless")
        let child = try receiver("--until-no-writers")
        try Tool.succeed(["send", path, "--block", "4"], input: "aaaabbbbcc")
        #expect(try child.finish().text == "aaaa\nbbbb\ncc\n")
        try Tool.succeed(["remove", path])
    }

    @Test func sendersCanWaitForReceivers() throws {
        try create()
        let sender = try Tool.start(["send", path, "--wait-readers", "2"])
        try sender.write("patient\n")
        try eventually("it is there") { try NetworkStatus(of: path).writers == 1 }
        let first = try receiver("--count", "1")
        #expect(try NetworkStatus(of: path).sent == 0)
        let second = try Tool.start(["receive", path, "--count", "1"])
        #expect(try sender.finish().status == 0)
        for child in [first, second] { #expect(try child.finish().text == "patient\n") }
        try Tool.succeed(["remove", path])
    }

    @Test func receiversEndWithTheLastSenderAlsoOneThatCameAndWentUnseen() throws {
        try create("--lossless")
        let child = try receiver("--until-no-writers")
        child.stop()
        try Tool.succeed(["send", path], input: "gone before you looked\n")
        child.resume()
        #expect(try child.finish().text == "gone before you looked\n")
        try Tool.succeed(["remove", path])
    }

    @Test func countZeroIsNothing() throws {
        try create()
        #expect(try Tool.succeed(["receive", path, "--count", "0"]).output.isEmpty)
        try Tool.succeed(["remove", path])
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP]) func interruptedReceiversEndWell(number: CInt) throws {
        try create()
        let child = try receiver()
        try Tool.succeed(["send", path], input: "kept\n")
        try eventually("it has read") { try NetworkStatus(of: path).nodes.contains { $0.received == 1 } }
        child.signal(number)
        let result = try child.finish()
        #expect(result.status == 0 && result.text == "kept\n")
        try Tool.succeed(["remove", path])
    }

    @Test func lossesAreToldAtTheEnd() throws {
        try create()
        let child = try receiver("--until-no-writers")
        child.stop()
        try Tool.succeed(["send", path], input: (0..<100).map { "\($0)\n" }.joined())
        child.resume()
        let result = try child.finish()
        #expect(result.text == (92..<100).map { "\($0)\n" }.joined() && result.status == 0)
        #expect(result.complaints.count == 1 && result.errors.contains(" 92 messages were lost"))
        try Tool.succeed(["remove", path])
    }

    @Test func historyIsForThoseWhoAskForIt() throws {
        try create("--history", "2")
        let sender = try Tool.start(["send", path])
        try sender.write("1\n2\n3\n")
        try eventually("they are sent") { try NetworkStatus(of: path).sent == 3 }
        #expect(try Tool.succeed(["receive", path, "--history", "--count", "2"]).text == "2\n3\n")
        #expect(try sender.finish().status == 0)
        try Tool.succeed(["remove", path])
    }

    @Test func manySendersAreOneStreamOfWholeLines() throws {
        try create("--lossless")
        let child = try receiver("--count", "900")
        let senders = try (0..<3).map { _ in try Tool.start(["send", path]) }
        for (index, sender) in senders.enumerated() { try sender.write((0..<300).map { "\(index) \($0)\n" }.joined()) }
        for sender in senders { #expect(try sender.finish().status == 0) }
        let lines = try child.finish().text.split(separator: "\n")
        for index in 0..<3 {
            #expect(lines.filter { $0.hasPrefix("\(index) ") } == (0..<300).map { Substring("\(index) \($0)") })
        }
        try Tool.succeed(["remove", path])
    }
}
