import CIPN
import IPNRing
import Testing
import TestSupport

/// What a reader holds stays what it was, and holds nobody else up.
@Suite struct PinTests {
    @Test func heldMessagesStayIntactWhileTheWriterGoesOn() throws {
        let writer = RingWriter(slots: 16, limit: 8)
        let reader = RingReader()
        reader.join(writer)
        var held: [Delivery] = []
        for _ in 0..<Int(IPN_PINS) {
            writer.send(1200)
            let delivery = try #require(reader.hold())
            held.append(delivery)
        }
        for _ in 0..<20_000 { #expect(writer.send(1200)) }
        for delivery in held { #expect(reader.isWhole(delivery)) }

        #expect(!reader.canTake() && reader.isReadable())
        #expect(reader.take() == nil, "a fifth has no pin")
        reader.release(held[2])
        let next = try #require(reader.take())
        #expect(next.isWhole && next.sequence - next.lost == 4 && next.sequence == 19_996)
        for index in [0, 1, 3] { #expect(reader.isWhole(held[index])) }
    }

    @Test func aLentDeliveryIsPinnedWhileItIsRead() throws {
        let writer = RingWriter(slots: 16, limit: 8)
        let reader = RingReader()
        reader.join(writer)
        writer.send(1500)
        let (index, delivery) = try #require(reader.lend())
        for _ in 0..<20_000 { #expect(writer.send(1500)) }
        #expect(reader.isWhole(delivery))
        reader.inbox.advance(index, past: delivery, keepPin: false)
        #expect(try #require(reader.take()).lost == 19_992)
    }

    @Test func releasedSlotsComeBack() throws {
        let writer = RingWriter(slots: 13, limit: 8)
        let reader = RingReader()
        reader.join(writer)
        for _ in 0..<2000 {
            writer.send(1500)
            let delivery = try #require(reader.hold())
            for _ in 0..<9 { #expect(writer.send(1500)) }
            #expect(reader.isWhole(delivery))
            reader.release(delivery)
            while reader.take() != nil {}
        }
        // All that was ever lent is there again.
        writer.retire()
        var lent: Set<UInt32> = []
        while let slot = writer.lend(1500) { #expect(lent.insert(slot.packed).inserted) }
        #expect(lent.count == 13)
    }

    @Test func withAllSlotsPinnedAWriterIsToldSo() throws {
        let writer = RingWriter(slots: 6, limit: 2)
        let reader = RingReader(limit: 2)
        reader.join(writer)
        for _ in 0..<Int(IPN_PINS) {
            writer.send(1500)
            _ = try #require(reader.hold())
        }
        // Two slots are left, and the limit keeps two messages: nothing is free for a third.
        #expect(writer.send(1500) && writer.send(1500))
        #expect(!writer.send(1500))
        while reader.take() != nil {}
        #expect(writer.words.head.load() == 6)
    }

    @Test func aSuccessorNeverSeesItsPredecessorsPlace() throws {
        let first = RingWriter(nodeID: 1)
        let reader = RingReader()
        reader.join(first)
        for _ in 0..<5 { first.send(1) }
        while reader.take() != nil {}
        let cursor = reader.words.cursor(0)
        #expect(cursor.tail.load() == 5)
        let view = ReaderView(nodeID: 100, cursor: cursor, armed: reader.words.armed, doorbell: Doorbell(bell: -1, clapper: -1, key: 0), floor: 3)
        #expect(view.tail(of: 2) == 3, "not placed for the successor: its floor")
        WriterView.adopt(2, at: 9, cursor: cursor)
        #expect(view.tail(of: 2) == 9 && view.tail(of: 1) == 3)
    }
}
