import Foundation
import Glibc
import Testing
import TestSupport

/// `ipn top`: every network of the user, without being told of any.
@Suite struct TopTests {
    private struct Look: Decodable {
        struct Network: Decodable {
            struct Node: Decodable {
                let pid: Int
                let sends, receives: Bool
                let sentRate, receivedRate: Double
                let lost, pending: UInt64
                let description: String
            }
            let path: String
            let rate: Double
            let readers, writers: Int
            let nodes: [Node]
        }
        let networks: [Network]
    }

    let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private func decode(_ line: String) throws -> [Look.Network] {
        try JSONDecoder().decode(Look.self, from: Data(line.utf8)).networks
    }

    @Test func findsAllNetworksAndTheirRates() throws {
        for name in ["quiet", "busy one"] { try Tool.succeed(["create", scratch(name)]) }
        let receiver = try Tool.start(["receive", scratch("busy one")])
        let sender = try Tool.start(["send", scratch("busy one")])
        try eventually("both are there") { try Tool.run(["show", scratch("busy one")]).text.contains("1 readers, 1 writers") }
        let top = try Tool.start(["top", "--json", "--interval", "0.2"])
        try eventually("its rate is seen") {
            for _ in 0..<10 { try sender.write("hello\n") }
            let networks = try decode(try top.line()).filter { $0.path.hasPrefix(scratch.path) }
            #expect(networks.map(\.path).sorted() == [scratch("busy one"), scratch("quiet")].sorted())
            guard let busy = networks.first, busy.rate > 0 else { return false }
            // Busiest first, and in it whoever sends.
            #expect(busy.path == scratch("busy one") && busy.readers == 1 && busy.writers == 1)
            #expect(busy.nodes.first?.sends == true)
            return busy.nodes.contains { $0.receives && $0.receivedRate > 0 }
        }
        let lines = try Tool.succeed(["top", "--once", "--interval", "0.1", scratch("busy one")]).text.split(separator: "\n")
        #expect(lines.count == 4 && lines[0].hasPrefix(scratch("busy one")) && lines[1].contains("PEND") && lines[1].contains("P99"))
        #expect(lines.dropFirst().allSatisfy { $0.count <= 80 }, "\(lines)")
        for child in [top, sender, receiver] {
            child.signal(SIGINT)
            _ = try child.finish()
        }
        for name in ["quiet", "busy one"] { try Tool.succeed(["remove", scratch(name)]) }
        let after = try Tool.succeed(["top", "--once", "--json", "--interval", "0.1"]).text
        #expect(try decode(after).allSatisfy { !$0.path.hasPrefix(scratch.path) })
    }

    @Test func looksUntilItIsStopped() throws {
        try Tool.succeed(["create", scratch("net")])
        let top = try Tool.start(["top", scratch("net"), "--json", "--interval", "0.1"])
        for _ in 0..<3 { #expect(try top.line().contains(scratch("net"))) }
        // It goes while somebody looks: that is no error.
        try Tool.succeed(["remove", scratch("net")])
        try eventually("it is gone") { try top.line() == "{\"networks\":[]}" }
        top.signal(SIGINT)
        #expect(try top.finish().status == 0)
    }

    @Test(.enabled(if: isRoot, "only root can run a program as another user")) func othersNetworksAreNotShown() throws {
        try Tool.succeed(["create", scratch("net")])
        let result = try Tool.run(["top", "--once", "--json", "--interval", "0.1"], user: stranger)
        #expect(result.status == 0 && !result.text.contains(scratch("net")))
        #expect(try Tool.run(["top", scratch("net")], user: stranger).status == 4)
        try Tool.succeed(["remove", scratch("net")])
    }

    @Test func wrongUsageIsOneLine() throws {
        for (arguments, status) in [(["--interval", "0"], 2), (["--interval", "x"], 2), ([scratch("none")], 3)] as [([String], CInt)] {
            let result = try Tool.run(["top"] + arguments)
            #expect(result.status == status && result.complaints.count == 1 && result.output.isEmpty, "\(result.errors)")
        }
    }
}
