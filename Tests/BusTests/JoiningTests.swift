import CLinux
import Glibc
import IPN
import Testing
import TestSupport

/// bind and connect: what they refuse, and which port they give.
@Suite struct JoiningTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    @Test func bindMakesAndThenJoins() throws {
        let first = Node()
        try first.bind(path, options: .with { $0.mtu = 999 })
        #expect(first.madeNetwork && !first.isConnected)
        let second = Node()
        try second.bind(path, options: .with { $0.mtu = 5 })
        #expect(!second.madeNetwork && second.options.mtu == 999, "what it has counts")
    }

    @Test func connectNeedsANetwork() throws {
        expect(throws: errno(ENOENT)) { try Node(connecting: path) }
        expect(throws: errno(ENOENT)) { try Node(binding: scratch("no/such/directory")) }
        expect(throws: errno(EDESTADDRREQ)) { try Node().connect() }
        _ = creat(scratch("file"), 0o600)
        expect(throws: errno(ECONNREFUSED)) { try Node(connecting: scratch("file")) }
        expect(throws: errno(ECONNREFUSED)) { try Node(binding: scratch("file")) }
        expect(throws: errno(ECONNREFUSED)) { try Node(binding: scratch.path) }
    }

    @Test(arguments: [SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM]) func anotherProgramsSocketIsRefused(kind: __socket_type) throws {
        let (socket, address) = try foreignSocket(kind, at: scratch("foreign"))
        defer { _ = close(socket) }
        for _ in 0..<2 {
            expect(throws: errno(ECONNREFUSED)) { try Node(binding: address) }
            expect(throws: errno(ECONNREFUSED)) { try Node(connecting: address) }
        }
        #expect(exists(address))
    }

    @Test func onceIsEnough() throws {
        let node = try Node(binding: path)
        expect(throws: errno(EISCONN)) { try node.bind(path) }
        expect(throws: errno(EISCONN)) { try node.bind(scratch("other")) }
        expect(throws: errno(EISCONN)) { try node.connect() }
        let other = try Node(connecting: path)
        expect(throws: errno(EISCONN)) { try other.bind(path) }
        #expect(!exists(scratch("other")))
    }

    @Test func aBoundNodeConnectsToItsOwn() throws {
        let other = try Node(binding: scratch("other"))
        let node = Node()
        try node.bind(path)
        expect(throws: errno(EINVAL)) { try node.connect(scratch("other")) }
        try node.connect(path)
        #expect(node.isConnected && other.isConnected)
    }

    @Test func aClosedNodeCanStartAnew() throws {
        let keep = try Node(binding: path)
        let node = try Node(connecting: path)
        node.close()
        expect(throws: errno(ENOTCONN)) { try node.send("x") }
        try node.connect(path)
        try node.send("again")
        #expect(try #require(try keep.receive()).bytes == Array("again".utf8))
    }

    @Test func portsAreTheLowestFree() throws {
        let manager = Node()
        try manager.bind(path)
        var nodes = try (0..<4).map { _ in try Node(connecting: path) }
        #expect(nodes.map(\.port) == [0, 1, 2, 3])
        nodes.remove(at: 1).close()
        try eventually("the keeper has seen it leave") { nodes[0].numberOfNodes.readers == 3 }
        #expect(try Node(connecting: path).port == 1)
        let wish = Node()
        try wish.connect(path, port: 20)
        #expect(wish.port == 20)
        expect(throws: errno(EADDRNOTAVAIL)) { try Node().connect(path, port: 20) }
        expect(throws: errno(EADDRNOTAVAIL)) { try Node().connect(path, port: 32) }
    }

    @Test func aFullNetworkIsFull() throws {
        let manager = Node()
        try manager.bind(path, options: .with { $0.nodeLimit = 2 })
        let (first, second) = (try Node(connecting: path), try Peer())
        try second.expect("connect \(path)")
        expect(throws: errno(EADDRNOTAVAIL)) { try Node(connecting: path) }
        second.kill()
        // Counted out as soon as the kernel has torn it down: the keeper hears of it before it hears of us.
        try eventually("the dead one's port is free") { (try? Node(connecting: path).close()) != nil }
        #expect(first.isConnected)
    }

    @Test func manyNodesInManyAnswers() throws {
        // More than one answer of the keeper can carry.
        let writer = try Node(binding: path, options: .with { $0.nodeLimit = 100 })
        let nodes = try (0..<70).map { _ in try Node(connecting: path) }
        for node in nodes.reversed() { try node.send("\(node.port!)") }
        // The window is 8: the newest eight, of the nodes that sent last.
        #expect(try writer.drain().count == 8)
        try writer.send("to all")
        for node in nodes { #expect(try node.drain().contains { $0.bytes == Array("to all".utf8) }) }
        #expect(try NetworkStatus(of: path).nodes.count == 71)
    }

    @Test func pathsMayBeLongerThanASocketsAddress() throws {
        let long = scratch(String(repeating: "./", count: 150) + "net")
        let node = try Node(binding: long)
        let other = try Node(connecting: long)
        try node.send("x")
        #expect(try other.receive()?.bytes == [120])
    }

    private func foreignSocket(_ kind: __socket_type, at path: String) throws -> (CInt, String) {
        let raw = socket(AF_UNIX, CInt(kind.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(raw, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        try #require(bound == 0 && (kind == SOCK_DGRAM || listen(raw, 5) == 0))
        return (raw, path)
    }
}
