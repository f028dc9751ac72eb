import CIPN
import IPNRing
import Testing
import TestSupport

@testable import IPN

/// What readers say of their delays, as others are told.
@Suite struct DelayTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    private func delays(of node: Node) throws -> NetworkStatus.Delays? {
        try NetworkStatus(of: path).nodes.first { $0.port == node.port }?.delays
    }

    @Test func whatAReaderSaysIsToldWithItsStatus() throws {
        let writer = try Node(binding: path, directions: .send)
        let reader = try Node(connecting: path, directions: .receive)
        #expect(try delays(of: writer) == nil, "it takes nothing")
        let nothing = try #require(try delays(of: reader))
        #expect(nothing.count == 0 && nothing.quantile(0.5) == nil && nothing.skew == nil && nothing.lostTime == nil)

        for _ in 0..<90 { reader.note(delay: 1_000_000) }
        for _ in 0..<10 { reader.note(delay: 80_000_000) }
        reader.note(skew: -5)
        reader.note(lostTime: 0)
        let told = try #require(try delays(of: reader))
        #expect(told.count == 100 && told.sum == 890_000_000 && told.skew == -5 && told.lostTime == 0)
        // A bucket is a quarter wide.
        let (median, most) = (try #require(told.quantile(0.5)), try #require(told.quantile(0.99)))
        #expect(0.8e6...1.25e6 ~= median && 64e6...100e6 ~= most, "\(median) \(most)")
        #expect(told.cumulative(below: [500_000, 10_000_000, 10_000_000_000]) == [0, 90, 100])

        reader.note(delay: 3_000_000_000)
        reader.note(skew: 0)
        reader.note(lostTime: 40_000_000)
        let since = try #require(try delays(of: reader)).since(told)
        #expect(since.count == 1 && since.sum == 3_000_000_000 && since.skew == 1 && since.lostTime == 40_000_000)
    }

    @Test func bytesAreCountedWhereTheyAreSentAndReceived() throws {
        let writer = try Node(binding: path, directions: .send)
        let reader = try Node(connecting: path, directions: .receive)
        for length in [0, 1, 1000] { try writer.send([UInt8](repeating: 7, count: length)) }
        while try reader.receive(timeout: .zero) != nil {}
        let nodes = try NetworkStatus(of: path).nodes
        #expect(nodes.first { $0.sends }?.sentBytes == 1001)
        #expect(nodes.first { $0.receives }?.receivedBytes == 1001)
    }

    /// More of them than one answer has room for.
    @Test func everybodyIsTold() throws {
        let nodes = try [Node(binding: path)] + (1..<30).map { _ in try Node(connecting: path) }
        for (number, node) in nodes.enumerated() { for _ in 0...number { node.note(delay: 1) } }
        let told = try NetworkStatus(of: path).nodes
        for (number, node) in nodes.enumerated() {
            #expect(told.first { $0.port == node.port }?.delays?.count == UInt64(number) + 1)
        }
    }

    /// A page is its node's word only.
    @Test func pagesOfRandomNumbersAreOnlyShown() throws {
        let watched = try Node(binding: path)
        let liar = try Node(connecting: path)
        let words = try #require(liar.region).words
        var random = SeededRandom(31)
        for round in 0..<8 {
            for offset in stride(from: Int(IPN_NODE_DELAYS), to: Int(IPN_NODE_DELAYS) + MemoryLayout<ipn_delays>.size, by: 8) {
                let number: UInt64 = round == 0 ? .max : Bool.random(using: &random) ? .random(in: 0...UInt64.max, using: &random) : 0
                SharedWord(words.base, offset).store(number)
            }
            for word in [words.sentBytes, words.receivedBytes, words.lost, words.dropped, words.received] {
                word.store(.random(in: 0...UInt64.max, using: &random))
            }
            let told = try #require(try delays(of: liar))
            for part in [0, 0.5, 0.99, 1] {
                let quantile = try #require(told.quantile(part))
                #expect(quantile.isFinite)
            }
            _ = (told.count, told.since(told), told.cumulative(below: [0, .max]))
            let top = ["top", path, "--once", "--interval", "0.1"]
            for arguments in [top, top + ["--json"], ["show", path, "--json"]] {
                let shown = try Child.run(Child.built("ipn"), arguments)
                #expect(shown.status == 0, "\(arguments): \(shown.errors)")
            }
        }
        _ = watched
    }
}
