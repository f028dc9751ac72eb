import CIPN
import Glibc
import IPN
import SystemPackage
import Testing
import TestSupport

/// Defaults, ranges, and what can be changed while the network lives.
@Suite struct OptionTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    @Test func theDefaultsAreIPNs() throws {
        let node = try Node(binding: path)
        let options = node.options
        #expect(options.mtu == 1514 && options.nodeLimit == 32 && options.poolSize == 8 && !options.isLossless)
        #expect(options.history == 0 && !options.isPersistent && options.mode.rawValue == 0o777)
        #expect(try NetworkStatus(of: path).options == options)
    }

    @Test func whatWasAskedForIsWhatAJoinerSees() throws {
        let wanted = NetworkOptions.with {
            $0.mtu = 123_456
            $0.nodeLimit = 65_535
            $0.poolSize = 77
            $0.isLossless = true
            $0.history = 3
        }
        let node = try Node(binding: path, options: wanted)
        let other = try Node(connecting: path)
        #expect(node.options == wanted && other.options == wanted)
    }

    @Test func theRangesHoldAndNothingIsMadeOutsideThem() throws {
        let wrong: [(inout NetworkOptions) -> Void] = [
            { $0.mtu = 0 }, { $0.mtu = -1 }, { $0.mtu = 1 << 30 + 1 }, { $0.nodeLimit = 0 }, { $0.nodeLimit = 65_536 },
            { $0.poolSize = 0 }, { $0.poolSize = 65_537 }, { $0.history = -1 }, { $0.history = 65_537 },
        ]
        // Each for itself is no mistake, but no process has the addresses for both.
        expect(throws: errno(EINVAL)) {
            try Node(
                binding: path,
                options: .with {
                    $0.mtu = 1 << 30; $0.poolSize = 65_536
                })
        }
        expect(throws: errno(EINVAL)) {
            try Node(
                binding: path,
                options: .with {
                    $0.mtu = 1 << 30; $0.history = 65_536
                })
        }
        for change in wrong { expect(throws: errno(EINVAL)) { try Node(binding: path, options: .with(change)) } }
        #expect(scratch.contents.isEmpty)
        let edges: [(inout NetworkOptions) -> Void] = [
            { $0.mtu = 1 }, { $0.mtu = 1 << 30 }, { $0.nodeLimit = 1 }, { $0.nodeLimit = 65_535 }, { $0.poolSize = 1 },
            { $0.poolSize = 65_536 }, { $0.history = 65_536 },
        ]
        for (index, change) in edges.enumerated() {
            let node = try Node(binding: scratch("edge\(index)"), options: .with(change))
            try node.send("x")
        }
    }

    @Test func theUmaskApplies() throws {
        let peer = try Peer()
        try peer.expect("umask 027")
        try peer.expect("bind \(path) mode=0776")
        #expect(try NetworkStatus(of: path).permissions == 0o750)
    }

    @Test func theLimitOfNodesCanBeChanged() throws {
        let manager = Node()
        try manager.bind(path, options: .with { $0.nodeLimit = 2 })
        let nodes = try [Node(connecting: path), Node(connecting: path)]
        expect(throws: errno(EADDRNOTAVAIL)) { try Node(connecting: path) }
        try manager.setNodeLimit(5)
        let third = try Node(connecting: path)
        #expect(third.port == 2)
        expect(throws: errno(EADDRINUSE)) { try manager.setNodeLimit(2) }
        expect(throws: errno(EINVAL)) { try manager.setNodeLimit(0) }
        expect(throws: errno(EINVAL)) { try manager.setNodeLimit(65_536) }
        third.close()
        try eventually("the keeper has seen it leave") { nodes[0].numberOfNodes.readers == 2 }
        try manager.setNodeLimit(2)
        expect(throws: errno(EADDRNOTAVAIL)) { try Node(connecting: path) }
        expect(throws: errno(ENOTCONN)) { try nodes[0].setNodeLimit(9) }
    }

    @Test func descriptionsAreShown() throws {
        let node = try Node(binding: path)
        let longest = String(repeating: "é", count: 64)
        try node.setDescription(longest)
        #expect(try NetworkStatus(of: path).nodes.first?.description == longest)
        expect(throws: errno(EINVAL)) { try node.setDescription(longest + "x") }
        #expect(try NetworkStatus(of: path).nodes.first?.description == longest)
    }

    @Test func windowsAreWithinWhatTheNetworkKeeps() throws {
        let writer = try Node(binding: path)
        let viewer = Node()
        try viewer.connect(path, window: 1)
        let recorder = Node()
        try recorder.connect(path, window: 1000)
        for _ in 0..<20 { try writer.send("x") }
        #expect(try viewer.drain().map(\.lost) == [19])
        #expect(try recorder.drain().count == 8)
        expect(throws: errno(EINVAL)) { try Node().connect(path, window: 0) }
        expect(throws: errno(EINVAL)) { try Node().connect(path, window: -1) }
    }

    @Test func portsOutsideAllRangesAreRefused() throws {
        let manager = try Node(binding: path)
        for port in [-2, Int(Int32.max) + 1, Int.min, Int.max] {
            expect(throws: errno(EADDRNOTAVAIL)) { try Node().connect(path, port: port) }
        }
        #expect(manager.port == 0)
    }

    @Test func statusTellsCountsAndOwners() throws {
        let writer = try Node(binding: path)
        let reader = try Peer()
        try reader.expect("connect \(path) r")
        try reader.expect("describe a reader")
        for _ in 0..<11 { try writer.send("x") }
        try reader.expect("receive")
        let status = try NetworkStatus(of: path)
        #expect(status.readers == 2 && status.writers == 1 && status.sent == 11 && status.lost == 3)
        let node = try #require(status.nodes.first { $0.description == "a reader" })
        #expect(node.processID == Int(reader.child.pid) && node.userID == Int(geteuid()) && node.port == 1)
        #expect(node.receives && !node.sends && node.received == 1 && node.lost == 3 && node.pending == 7)
    }
}
