import IPNRing
import Testing
import TestSupport

/// LOSSLESS: nothing that somebody has still to read is ever taken back.
@Suite struct LosslessTests {
    @Test func aFullPoolIsFullUntilTheSlowestReads() throws {
        let writer = RingWriter(mtu: 200, slots: 16, limit: nil)
        let (quick, slow) = (RingReader(nodeID: 100, overwrites: false), RingReader(nodeID: 101, overwrites: false))
        quick.join(writer)
        slow.join(writer)
        var sent = 0
        while writer.send(200) { sent += 1 }
        #expect(sent == 16)
        while quick.take() != nil {}
        #expect(!writer.send(200), "one reader is not all")
        #expect(try #require(slow.take()) == RingReader.Taken(sequence: 0, lost: 0, count: 200, isWhole: true, writer: 1))
        #expect(writer.send(200))
        #expect(!writer.send(200))
        for sequence in UInt64(1)...16 { #expect(try #require(slow.take()).sequence == sequence) }
    }

    @Test func nothingIsLostReorderedOrDoubled() throws {
        var random = SeededRandom(11)
        let writer = RingWriter(slots: 12, limit: nil)
        let readers = (0..<3).map { RingReader(nodeID: 100 + $0, overwrites: false) }
        for reader in readers { reader.join(writer) }
        var due = [UInt64](repeating: 0, count: 3)
        for _ in 0..<20_000 {
            writer.send(Int.random(in: 0...1514, using: &random))
            let who = Int.random(in: 0..<3, using: &random)
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                guard let taken = readers[who].take() else { break }
                #expect(taken.isWhole && taken.lost == 0 && taken.sequence == due[who])
                due[who] += 1
            }
        }
        for who in 0..<3 {
            while let taken = readers[who].take() {
                #expect(taken.isWhole && taken.sequence == due[who])
                due[who] += 1
            }
            #expect(due[who] == writer.writer.next)
        }
    }

    @Test func aHeldMessageOutlivesItsPlaceInThePool() throws {
        let writer = RingWriter(mtu: 200, slots: 8, limit: nil)
        let reader = RingReader(overwrites: false)
        reader.join(writer)
        writer.send(200)
        let held = try #require(reader.hold())
        for _ in 0..<1000 {
            #expect(writer.send(200))
            #expect(try #require(reader.take()).isWhole)
        }
        #expect(reader.isWhole(held))
    }

    @Test func withNobodyToReceiveNothingIsKept() {
        let writer = RingWriter(slots: 4, limit: nil)
        for _ in 0..<1000 { #expect(writer.send(100)) }
    }

    @Test func aPlaceBeyondTheHeadHoldsNothingBack() {
        let writer = RingWriter(slots: 4, limit: nil)
        let reader = RingReader(overwrites: false)
        reader.join(writer)
        reader.words.cursor(0).tail.store(UInt64.max - 3)
        for _ in 0..<1000 { #expect(writer.send(100)) }
    }
}
