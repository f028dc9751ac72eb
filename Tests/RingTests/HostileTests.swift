import CIPN
import IPNRing
import Testing
import TestSupport

/// A neighbour writes whatever it likes into what is its own to write. We may hear nonsense of it; we never step
/// outside the memory (there are guard pages around it), never stop, and honest neighbours notice nothing.
@Suite struct HostileTests {
    /// Values that arithmetic stumbles over, and some near the truth.
    static func nasty(_ truth: UInt64, _ random: inout SeededRandom) -> UInt64 {
        switch Int.random(in: 0..<9, using: &random) {
        case 0: 0
        case 1: .max
        case 2: UInt64(Int64.max)
        case 3: UInt64(Int64.max) + 1
        case 4: truth &+ UInt64.random(in: 0...40, using: &random)
        case 5: truth &- UInt64.random(in: 0...40, using: &random)
        case 6: truth ^ (1 << UInt64.random(in: 0..<64, using: &random))
        case 7: truth & 0xffff_ffff | UInt64.random(in: 0...UInt64(UInt32.max), using: &random) << 32
        default: random.next()
        }
    }

    /// A writer that lies in its region and in its pool, everywhere a reader looks.
    @Test(arguments: [true, false], Array(UInt64(1)...40)) func readersSurviveAWriter(overwrites: Bool, seed: UInt64) {
        var random = SeededRandom(seed)
        let liar = RingWriter(nodeID: 1, mtu: 3000, slots: 16, limit: overwrites ? 8 : nil)
        let honest = RingWriter(nodeID: 2, slots: 32, limit: overwrites ? 8 : nil)
        let reader = RingReader(overwrites: overwrites, limit: 1 << 20)
        reader.join(liar)
        reader.join(honest)
        let ring = Int(IPN_PAGE)
        var due: UInt64 = 0
        for _ in 0..<300 {
            liar.send(Int.random(in: 0...3000, using: &random))
            if honest.writer.next == due { honest.send(100) }
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    let offset = [Int(IPN_NODE_HEAD), Int(IPN_NODE_OLDEST)].randomElement(using: &random)!
                    liar.region.scribble(offset, Self.nasty(liar.region.word(offset), &random))
                case 1:
                    let offset = Int.random(in: 0..<8, using: &random) * 8
                    liar.pool.scribble(offset, Self.nasty(liar.pool.word(offset), &random))
                default:
                    let offset = ring + 8 * Int.random(in: 0..<4 * liar.layout.ringEntries, using: &random)
                    liar.pool.scribble(offset, Self.nasty(liar.pool.word(offset), &random))
                }
            }
            for _ in 0..<3 {
                guard let (index, delivery) = reader.lend() else { break }
                if delivery.nodeID == 2 {
                    #expect(delivery.sequence == due && reader.isWhole(delivery) && delivery.lost == 0)
                    due += 1
                } else {
                    #expect(liar.pool.contains(delivery.bytes, delivery.length) && delivery.length <= 4096)
                    var sum: UInt8 = 0
                    for byte in UnsafeRawBufferPointer(start: delivery.bytes, count: delivery.length) { sum &+= byte }
                }
                reader.inbox.advance(index, past: delivery, keepPin: false)
            }
        }
        while let taken = reader.take() { if taken.writer == 2 { due += 1 } }
        #expect(due == honest.writer.next)
    }

    /// A reader that lies in its cursors. The writer's slots stay its own, and other readers get every byte right.
    @Test(arguments: Array(UInt64(1)...40)) func writersSurviveAReader(seed: UInt64) {
        var random = SeededRandom(seed)
        let writer = RingWriter(mtu: 3000, slots: 24, limit: 8)
        let liar = RingReader(nodeID: 100)
        let honest = RingReader(nodeID: 101)
        liar.join(writer)
        honest.join(writer)
        let cursor = NodeRegion.cursorRange(0)
        var due: UInt64 = 0
        for _ in 0..<1500 {
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let offset = cursor.lowerBound + 8 * Int.random(in: 0..<8, using: &random)
                let truth = Bool.random(using: &random) ? writer.writer.next : liar.region.word(offset)
                liar.region.scribble(offset, Self.nasty(truth, &random))
            }
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                #expect(writer.send(Int.random(in: 0...3000, using: &random)), "a liar's four pins are paid for in advance")
            }
            while Bool.random(using: &random), let taken = honest.take() {
                #expect(taken.isWhole && taken.sequence - taken.lost == due)
                due = taken.sequence + 1
            }
        }
        // Without the liar, every slot is there again, once.
        writer.readers.deallocate()
        writer.readers = .allocate(capacity: 0)
        writer.retire()
        var lent: Set<UInt32> = []
        while let slot = writer.lend(3000) { #expect(lent.insert(slot.packed).inserted) }
        #expect(lent.count == 24)
    }

    /// What a writer claims goes wrong for itself alone: it is not heard any more.
    @Test func aWriterThatMakesNoSenseIsNotHeard() throws {
        let writer = RingWriter()
        let reader = RingReader()
        reader.join(writer)
        writer.send(10)
        writer.pool.scribble(Int(IPN_PAGE) + 8, 1 << 40)  // the length of sequence 0
        #expect(reader.take() == nil)
        #expect(reader.inbox.writers[0].isBroken)
        writer.send(10)
        #expect(reader.take() == nil)
    }

    @Test func aHeadThatGoesBackwardsIsNotBelieved() {
        let writer = RingWriter()
        let reader = RingReader()
        reader.join(writer)
        writer.send(10)
        #expect(reader.take() != nil)
        writer.region.scribble(Int(IPN_NODE_HEAD), 0)
        #expect(reader.take() == nil && !reader.isReadable())
    }

    @Test func aHeadFarAheadIsALossAndNoMore() throws {
        let writer = RingWriter()
        let reader = RingReader(limit: 8)
        reader.join(writer)
        writer.region.scribble(Int(IPN_NODE_HEAD), UInt64(Int64.max))
        #expect(reader.take() == nil)
    }
}
