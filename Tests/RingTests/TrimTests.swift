import CIPN
import IPNRing
import Testing

/// Memory that was needed once, and is not any more.
@Suite struct TrimTests {
    private let page = Int(IPN_PAGE)

    /// Sends, pays as the bus does, and gives back what it is told to.
    private func send(_ ring: RingWriter, _ count: Int, paid: inout Set<Range<Int>>) throws {
        if ring.writer.wantsRetire(length: count) { ring.retire() }
        if ring.writer.wantsTrim { ring.writer.trim { paid.remove($0) } }
        let slot = try #require(ring.reserve(count))
        if ring.writer.uncommitted(slot, length: count) != nil {
            ring.writer.markCommitted(slot, length: count)
            let start = ring.writer.view.payloadOffset(slot)
            paid.insert(start..<start + ring.layout.stride(slot.sizeClass))
        }
        ring.writer.publish(slot, length: count, time: 0, tag: 0)
    }

    @Test func whatIsNotNeededForThousandsOfMessagesIsGivenBack() throws {
        let ring = RingWriter(mtu: 1 << 16, slots: 300, limit: 8, history: 200)
        var paid: Set<Range<Int>> = []
        // Two hundred large messages are kept at once, and then none any more.
        for _ in 0..<300 { try send(ring, 60_000, paid: &paid) }
        let most = paid.count
        #expect(most > 200)
        for _ in 0..<10_000 { try send(ring, 5000, paid: &paid) }
        #expect(paid.count { $0.count > 1 << 13 } == 0)
        #expect(paid.count < most + 50)
    }

    @Test func whatIsNeededNowAndThenStays() throws {
        let ring = RingWriter(mtu: 1 << 16, slots: 100, limit: 8, history: 50)
        var paid: Set<Range<Int>> = []
        var given = 0
        // A key frame every hundred messages: its slot is used again and again.
        for index in 0..<10_000 {
            if ring.writer.wantsRetire(length: 5000) { ring.retire() }
            if ring.writer.wantsTrim { ring.writer.trim { _ in given += 1 } }
            try send(ring, index % 100 == 0 ? 60_000 : 5000, paid: &paid)
        }
        #expect(given == 0)
    }

    @Test func smallSlotsShareTheirPages() throws {
        let ring = RingWriter(mtu: 1 << 16, slots: 100, limit: 8)
        var paid: Set<Range<Int>> = []
        for _ in 0..<50 { _ = try #require(ring.reserve(100)) }
        for _ in 0..<20_000 { try send(ring, 100, paid: &paid) }
        #expect(paid.allSatisfy { $0.count < page })
    }
}
