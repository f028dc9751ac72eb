import Glibc
import IPN
import Testing
import TestSupport

/// Who is known to whom, over many comings and goings.
@Suite struct RosterTests {
    let scratch: Scratch
    let path: String
    let manager = Node()

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
        try manager.bind(
            path,
            options: .with {
                $0.isLossless = true
                $0.poolSize = 4
            })
    }

    /// The keeper drops old news in time; who has not listened since is told everything again. A reader that left
    /// meanwhile must not be waited for.
    @Test func whoLeftWhileNobodyListenedIsForgotten() throws {
        let writer = try Node(connecting: path, directions: .send)
        let leaver = try Node(connecting: path, directions: .receive)
        try writer.send("x")
        #expect(try leaver.drain().count == 1)
        // More than fit one answer, so that the whole comes in parts.
        let crowd = try (0..<25).map { _ in try Node(connecting: path, directions: .send) }
        leaver.close()
        for _ in 0..<900 { try Node(connecting: path, directions: .send).close() }
        for _ in 0..<20 { try writer.send("nobody reads", timeout: .zero) }
        #expect(crowd.count == 25)
    }

    @Test func newcomersHearEverybodyAfterManyHaveGone() throws {
        for _ in 0..<700 { try Node(connecting: path).close() }
        let nodes = try (0..<15).map { _ in try Node(connecting: path) }
        for node in nodes {
            try node.send("hello")
            for other in nodes where other !== node { #expect(try other.drain().count == 1) }
        }
    }

    @Test func manyWritersComeSendAndGo() throws {
        let reader = try Node(connecting: path, directions: .receive)
        var senders: Set<UInt64> = []
        for index in 0..<300 {
            let writer = try Node(connecting: path, directions: .send)
            try writer.send("\(index)")
            writer.close()
            let message = try #require(try reader.receive())
            #expect(message.bytes == Array("\(index)".utf8) && message.sequence == 0 && message.lost == 0)
            #expect(senders.insert(message.sender).inserted, "no number twice")
        }
    }
}
