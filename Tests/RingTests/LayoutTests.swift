import CIPN
import IPNRing
import Testing
import TestSupport

/// Size classes: every length fits, nothing overlaps, and a foreign header is believed only where it can be true.
@Suite struct LayoutTests {
    static let mtus = [1, 255, 256, 257, 1514, 4096, 5000, 65_536, 100_001, 1 << 24, Int(IPN_MTU_MAX)]

    @Test(arguments: mtus) func everyLengthFits(mtu: Int) {
        let layout = PoolLayout(mtu: mtu, slots: 40)
        var random = SeededRandom(UInt64(mtu))
        let lengths = [0, 1, mtu - 1, mtu] + (0..<1000).map { _ in Int.random(in: 0...mtu, using: &random) }
        for length in lengths.sorted() {
            let index = layout.sizeClass(for: length)
            #expect(index < layout.classCount)
            #expect(layout.stride(index) >= length)
            #expect(index == 0 || layout.stride(index - 1) < length, "no smaller class would have done")
        }
    }

    @Test(arguments: mtus) func classesFollowEachOther(mtu: Int) {
        let layout = PoolLayout(mtu: mtu, slots: 40)
        var end = Int(IPN_PAGE) + Int(IPN_ENTRY) * layout.ringEntries
        for index in 0..<layout.classCount {
            let start = layout.offset(ofClass: index)
            #expect(start >= end && start % Int(IPN_PAGE) == 0)
            end = start + layout.stride(index) * layout.slotsPerClass
        }
        #expect(layout.size >= end)
        #expect(layout.ringEntries > layout.slotsPerClass && layout.ringEntries.nonzeroBitCount == 1)
    }

    @Test func messagesOfAllClassesLieBesideEachOther() throws {
        let writer = RingWriter(mtu: 10_000, slots: 7, limit: nil)
        let reader = RingReader(overwrites: false)
        reader.join(writer)
        let sizes = [0, 256, 257, 512, 1000, 9999, 10_000]
        for size in sizes { #expect(writer.send(size)) }
        for size in sizes {
            let taken = try #require(reader.take())
            #expect(taken.isWhole && taken.count == size)
        }
    }

    @Test func aLargerSlotServesWhereTheFittingAreUsed() throws {
        let writer = RingWriter(mtu: 1024, slots: 4, limit: nil)
        let reader = RingReader(overwrites: false)
        reader.join(writer)
        for _ in 0..<7 { #expect(writer.send(10)) }
        for _ in 0..<7 { #expect(try #require(reader.take()).isWhole) }
    }

    @Test func theOwnHeaderIsBelieved() {
        let writer = RingWriter()
        let header = writer.pool.base.load(as: ipn_pool_header.self)
        #expect(PoolLayout(checking: header, mtu: 1514, nodeID: 1, mappedSize: writer.layout.size) == writer.layout)
    }

    @Test func headersThatDoNotHoldTogetherAreRefused() {
        let writer = RingWriter()
        let good = writer.pool.base.load(as: ipn_pool_header.self)
        let size = writer.layout.size
        func refuses(_ change: (inout ipn_pool_header) -> Void, mtu: Int = 1514, size: Int) -> Bool {
            var header = good
            change(&header)
            return PoolLayout(checking: header, mtu: mtu, nodeID: 1, mappedSize: size) == nil
        }
        #expect(refuses({ $0.magic ^= 1 }, size: size))
        #expect(refuses({ $0.record_version += 1 }, size: size))
        #expect(refuses({ $0.node_id = 2 }, size: size))
        #expect(refuses({ $0.slots_per_class = 0 }, size: size))
        #expect(refuses({ $0.slots_per_class += 1 }, size: size))
        #expect(refuses({ $0.slots_per_class = .max }, mtu: Int(IPN_MTU_MAX), size: .max))
        #expect(refuses({ _ in }, size: size - 1))
        #expect(refuses({ _ in }, mtu: 4000, size: size))
    }

    @Test func slotsAreCommittedOnceAndOnlyAsFarAsNeeded() throws {
        let writer = RingWriter(mtu: 16384, slots: 4)
        let slot = try #require(writer.lend(9000))
        let range = writer.writer.uncommitted(slot, length: 9000)
        let first = try #require(range)
        let start = writer.writer.view.payloadOffset(slot)
        #expect(first == start..<start + 3 * 4096, "memory comes in pages")
        writer.writer.markCommitted(slot, length: 9000)
        let (shorter, longer) = (writer.writer.uncommitted(slot, length: 2000), writer.writer.uncommitted(slot, length: 14000))
        #expect(shorter == nil)
        #expect(longer == start + 3 * 4096..<start + 4 * 4096)
    }

    @Test func smallSlotsOfAPageAreCommittedTogether() throws {
        let writer = RingWriter(mtu: 256, slots: 40)
        let first = try #require(writer.lend(100))
        let range = writer.writer.uncommitted(first, length: 100)
        let start = writer.writer.view.payloadOffset(first)
        #expect(range == start..<start + 4096)
        writer.writer.markCommitted(first, length: 100)
        for _ in 1..<16 {
            let next = try #require(writer.lend(256))
            let more = writer.writer.uncommitted(next, length: 256)
            #expect(more == nil)
        }
        let beyond = try #require(writer.lend(256))
        let more = writer.writer.uncommitted(beyond, length: 256)
        #expect(more == start + 4096..<start + 8192)
    }
}
