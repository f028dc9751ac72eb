import Glibc
import IPN
import Media
import TestSupport
import Testing

/// When a publisher says that its packets were captured.
@Suite struct CaptureTests {
    /// What the clock paces is captured when it is due, however late the publisher is with it: whoever plays it would follow each
    /// hesitation else.
    @Test func whatIsPacedIsCapturedWhenItIsDue() throws {
        let scratch = try Scratch()
        let publisher = try Tool.start(["publish", "test:size=64x64,rate=100,audio=none", scratch("net")])
        try eventually("it is there") { try Tool.run(["show", scratch("net")]).text.contains("1 writers") }
        let node = try Node(connecting: scratch("net"), directions: .receive)
        var gate = StreamGate()
        var offsets: [Int64] = []
        while offsets.count < 100 {
            let message = try #require(try node.receive())
            guard message.numberOfNodes == nil, case .deliver(let packet, _) = try gate.receive(message.bytes.span.bytes) else { continue }
            let (time, captured) = (try #require(packet.decodingTime), try #require(packet.captureTime))
            offsets.append(captured - gate.streams[0].timeBase.nanoseconds(time))
        }
        publisher.signal(SIGINT)
        _ = try publisher.finish()
        // A rounded nanosecond; and who is late by a second does not hurry, but goes on from there.
        let steps = zip(offsets, offsets.dropFirst()).map { $1 - $0 }
        #expect(steps.allSatisfy { abs($0) <= 1 || $0 >= 1_000_000_000 }, "\(steps)")
    }

    /// Who asks for the past wants it kept while nobody looks.
    @Test func whoKeepsThePastDoesNotRest() throws {
        let scratch = try Scratch()
        let signal = "test:size=64x64,rate=100,audio=none"
        let publisher = try Tool.start(["publish", signal, scratch("net"), "--history", "30s"])
        let sleeper = try Tool.start(["publish", signal, scratch("other"), "--history", "30s", "--on-demand", "--rest-after", "0"])
        // None is there at first.
        try eventually("the one produces, and the other rests") {
            guard let one = try? NetworkStatus(of: scratch("net")), let other = try? NetworkStatus(of: scratch("other")) else { return false }
            return one.sent > 100 && other.nodes.contains { $0.description.hasSuffix(", resting") }
        }
        // The description; and what was made before it was looked whether anybody is there.
        #expect(try NetworkStatus(of: scratch("other")).sent <= 2)
        for program in [publisher, sleeper] {
            program.signal(SIGINT)
            _ = try program.finish()
        }
    }
}
