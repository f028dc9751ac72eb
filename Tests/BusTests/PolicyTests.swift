import Foundation
import IPN
import Testing
import TestSupport

/// What a policy's writer and its users see: who receives, options, requests, news.
@Suite struct PolicyTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    /// A network with one of the policies that were built beside the tests.
    private func make(_ policy: String, _ change: (inout NetworkOptions) -> Void = { _ in }) throws -> Node {
        try Node(
            binding: path,
            options: .with {
                $0.policy = Child.built("lib\(policy).so")
                change(&$0)
            })
    }

    private func text(_ message: Message?) -> String? { message.map { String(decoding: $0.bytes, as: UTF8.self) } }

    private let patience = Duration.milliseconds(Int(watchdogMilliseconds))

    @Test(arguments: [false, true]) func aHubIsHeardByAllOthers(isLossless: Bool) throws {
        let anna = try make("hub") { $0.isLossless = isLossless }
        #expect(anna.options.protocolNumber == 40)
        let (bert, carl) = (try Node(connecting: path), try Node(connecting: path, directions: .receive))
        try anna.send("one", tag: 7)
        try anna.send("")
        try bert.send("two")
        for node in [bert, carl] {
            let first = try #require(try node.receive(timeout: patience))
            #expect(first.bytes == Array("one".utf8) && first.tag == 7 && first.sequence == 0 && first.lost == 0)
            #expect(text(try node.receive(timeout: patience)) == "")
        }
        #expect(text(try carl.receive(timeout: patience)) == "two")
        #expect(text(try anna.receive(timeout: patience)) == "two")
        #expect(try bert.receive(timeout: .zero) == nil)
    }

    @Test func everyLengthUpToTheMTUArrivesWhole() throws {
        let anna = try make("hub") {
            $0.mtu = 100_000
            $0.isLossless = true
        }
        let bert = try Node(connecting: path, directions: .receive)
        for (index, length) in [0, 1, 255, 256, 257, 4095, 4096, 4097, 65_536, 99_999, 100_000].enumerated() {
            try anna.send(Pattern.bytes(length, seed: UInt64(index)))
            #expect(try #require(try bert.receive(timeout: patience)).bytes == Pattern.bytes(length, seed: UInt64(index)))
        }
        expect(throws: errno(EMSGSIZE)) { try anna.send([UInt8](repeating: 1, count: 100_001)) }
    }

    @Test func aPolicyIsToldOfEverybodyWhoComesAndGoes() throws {
        let page = scratch("diary")
        let anna = try make("diary") { $0.nodeLimit = 8 }
        try anna.setPolicyOption(1, Array(page.utf8))
        var written: [Substring] { (try? String(contentsOf: URL(fileURLWithPath: page), encoding: .utf8))?.split(separator: "\n") ?? [] }
        let bert = try Node(connecting: path)
        try bert.send("last words")
        try eventually("they are handled: \(written)") { written.last == "handlemsg 1 of 10 bytes" }
        bert.close()
        try eventually("bert's port is gone: \(written)") { written.contains("delport 1") }
        let carl = try Peer()
        try carl.expect("connect \(path)")
        carl.kill()
        try eventually("carl's port is gone: \(written)") { written.count { $0 == "delport 1" } == 2 }
        try anna.setNodeLimit(6)
        expect(throws: errno(EXFULL)) { try anna.setNodeLimit(5) }
        try anna.setNodeLimit(7)
        anna.close()
        try eventually("the network is over: \(written)") { written.last == "delnet" }
        #expect(
            written == [
                "newnet 8", "newport 0", "postnewport 0",
                "newport 1", "postnewport 1", "handlemsg 1 of 10 bytes", "predelport 1", "delport 1",
                "newport 1", "postnewport 1", "predelport 1", "delport 1",
                "resizenet 8 6, still 8", "resizenet 6 5, still 6", "resizenet 6 7, still 6",
                "predelport 0", "delport 0", "delnet",
            ])
    }

    @Test func aSieveDeliversByPrefixOnly() throws {
        let anna = try make("sieve")
        let (bert, carl) = (try Node(connecting: path), try Node(connecting: path))
        try bert.setPolicyOption(1, Array("b".utf8))
        try carl.setPolicyOption(1, Array("c".utf8))
        #expect(try carl.policyOption(1) == Array("c".utf8))
        for word in ["bee", "cow", "box", "cat"] { try anna.send(word) }
        #expect(text(try bert.receive(timeout: patience)) == "bee")
        #expect(text(try bert.receive(timeout: patience)) == "box")
        #expect(text(try carl.receive(timeout: patience)) == "cow")
        #expect(text(try carl.receive(timeout: patience)) == "cat")
        #expect(try bert.receive(timeout: .zero) == nil && carl.receive(timeout: .zero) == nil)
        expect(throws: errno(ENOPROTOOPT)) { try carl.setPolicyOption(2, []) }
        expect(throws: errno(ENOPROTOOPT)) { try carl.setPolicyOption(1, [], level: 5) }
        expect(throws: errno(EINVAL)) { try carl.setPolicyOption(1, [UInt8](repeating: 1, count: 33)) }
        expect(throws: errno(EINVAL)) { _ = try carl.policyOption(1, room: 0) }
        expect(throws: errno(EINVAL)) { try carl.setPolicyOption(1, [UInt8](repeating: 1, count: 4097)) }
    }

    @Test func aSieveCountsForWhoAsksAndResetsForWhoManages() throws {
        // _IOWR('S', 1, struct sieve_counts)
        let (counts, size): (UInt, Int) = (3 << 30 | 32 << 16 | UInt(UInt8(ascii: "S")) << 8 | 1, 32)
        let anna = try make("sieve")
        let bert = try Node(connecting: path)
        try bert.setPolicyOption(1, Array("b".utf8))
        for word in ["bee", "cow", "cat"] { try anna.send(word) }
        #expect(text(try bert.receive(timeout: patience)) == "bee")
        func read(_ node: Node, reset: UInt8 = 0) throws -> [UInt64] {
            let answer = try node.policyControl(counts, [UInt8](repeating: 0, count: 24) + [reset] + [UInt8](repeating: 0, count: 7))
            return answer.withUnsafeBytes { bytes in (0..<3).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self) } }
        }
        try eventually("all are sifted") { try read(bert) == [1, 2, 2] }
        expect(throws: errno(EPERM)) { _ = try read(bert, reset: 1) }
        #expect(try read(anna, reset: 1) == [1, 2, 2])
        #expect(try read(bert) == [0, 0, 0])
        expect(throws: errno(ENOTTY)) { _ = try bert.policyControl(99) }
        expect(throws: errno(EINVAL)) { _ = try bert.policyControl(counts, [UInt8](repeating: 0, count: size - 1)) }
    }

    @Test func aSieveTellsASenderOutOfBandWhatNobodyWanted() throws {
        let anna = try make("sieve")
        let bert = try Node(connecting: path)
        try bert.setPolicyOption(1, Array("b".utf8))
        try anna.setHandlesOutOfBand(true)
        try anna.send("ant")
        try bert.send("data")
        try anna.send("ape")
        // The keeper handles what is there in one go, so data that came later says that the news is there.
        let news = OutOfBand(level: 41, tag: 1)
        func next() throws -> (OutOfBand?, String?) {
            let message = try anna.receive(timeout: patience)
            return (message?.outOfBand, text(message))
        }
        try eventually("all is there") { try NetworkStatus(of: path).nodes.contains { $0.pending == 1 } }
        #expect(try next() == (news, "ant"))
        #expect(try next() == (news, "ape"))
        #expect(try next() == (nil, "data"))
    }

    /// 64 wait for each port: of more the oldest go, and what has waited is not in the way of what comes after.
    @Test func ofNewsThatNobodyFetchesTheOldestGo() throws {
        let anna = try make("sieve")
        try anna.setHandlesOutOfBand(true)
        let descriptor = try anna.fileDescriptor()
        func unheard() throws -> UInt64 {
            let asked: UInt = 3 << 30 | 32 << 16 | UInt(UInt8(ascii: "S")) << 8 | 1
            let answer = try anna.policyControl(asked, [UInt8](repeating: 0, count: 32))
            return answer.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 16, as: UInt64.self) }
        }
        for number in 0..<100 {
            try anna.send("\(number)")
            try eventually("it was handled") { try unheard() == UInt64(number + 1) }
        }
        for number in 36..<100 {
            #expect(isReadable(descriptor))
            let message = try #require(try anna.receive(timeout: .zero), "\(number)")
            #expect(message.outOfBand == OutOfBand(level: 41, tag: 1) && text(message) == "\(number)")
        }
        #expect(try anna.receive(timeout: .zero) == nil && !isReadable(descriptor))
        try anna.send("after")
        #expect(text(try anna.receive(timeout: patience)) == "after")
    }

    /// A policy speaks to ports: an observer has none, and goes on hearing who is there.
    @Test func newsGoToPortsThatHandleThem() throws {
        let manager = try make("odd") { $0.nodeLimit = 8 }
        let handles = Node()
        try handles.setHandlesOutOfBand(true)
        try handles.connect(path, port: 2)
        let observer = Node()
        try observer.setWantsNumberOfNodes(true)
        try observer.connect(path, directions: [])
        #expect(observer.port == nil)
        #expect(try observer.receive(timeout: patience)?.numberOfNodes == NumberOfNodes(readers: 2, writers: 2))
        try manager.send("news of a policy")
        let news = try #require(try handles.receive(timeout: patience))
        #expect(news.outOfBand == OutOfBand(level: 42, tag: 9) && text(news) == "news of a policy")
        let tally = try manager.policyOption(1).withUnsafeBytes { bytes in
            (0..<4).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self) }
        }
        #expect(tally[3] == 1 && tally[2] == Int64(-ENOENT))
        #expect(try observer.receive(timeout: .zero) == nil && manager.receive(timeout: .zero) == nil)
        handles.close()
        #expect(try observer.receive(timeout: patience)?.numberOfNodes == NumberOfNodes(readers: 1, writers: 1))
    }

    @Test func newsWakeWhoSleepsAndWhoPolls() throws {
        let anna = try make("sieve")
        try anna.setHandlesOutOfBand(true)
        let descriptor = try anna.fileDescriptor()
        #expect(!isReadable(descriptor))
        try anna.send("nobody is here")
        #expect(isReadable(descriptor, milliseconds: watchdogMilliseconds))
        let message = try #require(try anna.receive(timeout: .zero))
        #expect(message.outOfBand?.level == 41 && message.bytes == Array("nobody is here".utf8))
        #expect(try anna.receive(timeout: .zero) == nil)
        #expect(!isReadable(descriptor))
    }

    @Test func theProtocolIsChecked() throws {
        let anna = try make("hub")
        expect(throws: errno(EPROTO)) { try Node().connect(path, protocolNumber: 1) }
        expect(throws: errno(EPROTO)) { try Node().bind(path, options: .with { $0.protocolNumber = 41 }) }
        try Node().bind(path, options: .with { $0.protocolNumber = 40 })
        try Node().bind(path, options: .with { $0.protocolNumber = 0 })
        try Node().connect(path, protocolNumber: 40)
        #expect(anna.isConnected)
        let other = scratch("other")
        expect(throws: errno(EPROTO)) { try Node().bind(other, options: .with { $0.protocolNumber = 0 }) }
        expect(throws: errno(EPROTONOSUPPORT)) { try Node().bind(other, options: .with { $0.protocolNumber = 40 }) }
        #expect(!exists(other))
    }

    @Test func thePolicyChoosesPortsAndMayRefuse() throws {
        let anna = try make("odd") { $0.nodeLimit = 20 }
        #expect(anna.port == 19)
        let bert = Node()
        try bert.connect(path, port: 1)
        #expect(bert.port == 18)
        expect(throws: errno(ECONNABORTED)) { try Node().connect(path, port: 13) }
        // It gives away what is taken: the keeper does not.
        expect(throws: errno(EADDRNOTAVAIL)) { try Node().connect(path) }
        bert.close()
        try anna.setNodeLimit(30)
        try bert.connect(path)
        #expect(bert.port == 29)
        expect(throws: errno(EADDRINUSE)) { try anna.setNodeLimit(29) }
    }
}
