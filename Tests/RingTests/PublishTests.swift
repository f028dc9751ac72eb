import IPNRing
import Testing
import TestSupport

/// From a writer to its readers: order, content, length.
@Suite struct PublishTests {
    @Test func messagesComeInOrderEachOnce() {
        let writer = RingWriter()
        let reader = RingReader()
        reader.join(writer)
        for round in 0..<500 {
            for size in [1, 64, 1514] { #expect(writer.send(size)) }
            for (index, size) in [1, 64, 1514].enumerated() {
                let expected = RingReader.Taken(
                    sequence: UInt64(round * 3 + index), lost: 0, count: size, isWhole: true, writer: 1)
                #expect(reader.take() == expected)
            }
            #expect(reader.take() == nil)
        }
    }

    @Test func zeroLengthIsAMessage() throws {
        let writer = RingWriter()
        let reader = RingReader()
        reader.join(writer)
        writer.send(0)
        writer.send(3)
        #expect(try #require(reader.take()).count == 0)
        #expect(try #require(reader.take()).count == 3)
    }

    @Test func eachReaderHasItsOwnPlace() throws {
        let writer = RingWriter()
        let (first, second) = (RingReader(nodeID: 100), RingReader(nodeID: 101))
        first.join(writer)
        writer.send(10)
        second.join(writer)
        writer.send(20)
        #expect(try #require(first.take()).sequence == 0)
        #expect(try #require(second.take()).sequence == 1)
        #expect(try #require(first.take()).sequence == 1)
        #expect(first.take() == nil && second.take() == nil)
    }

    @Test func cancelledSlotsAreNoMessages() throws {
        let writer = RingWriter(slots: 4)
        let reader = RingReader()
        reader.join(writer)
        for _ in 0..<1000 { writer.writer.cancel(try #require(writer.lend(100))) }
        #expect(reader.take() == nil)
        writer.send(7)
        #expect(try #require(reader.take()).count == 7)
    }

    @Test func putBackLeavesTheMessageAndItsLosses() throws {
        let writer = RingWriter()
        let reader = RingReader(limit: 2)
        reader.join(writer)
        for _ in 0..<5 { writer.send(9) }
        for _ in 0..<3 {
            let (index, delivery) = try #require(reader.lend())
            #expect(delivery.sequence == 3 && delivery.lost == 3)
            reader.inbox.putBack(index, delivery)
        }
        #expect(try #require(reader.take()).lost == 3)
    }

    @Test func armingIsSeenUntilDisarmed() {
        let reader = RingReader()
        var seen: Set<UInt64> = []
        for _ in 0..<10 {
            reader.inbox.arm(polling: false)
            let armed = reader.words.armed.load()
            #expect(armed & 1 == 1 && seen.insert(armed).inserted, "each sleep has a number of its own")
            reader.inbox.disarm()
            #expect(reader.words.armed.load() & 1 == 0)
        }
    }

    @Test func writersAreServedInTurn() throws {
        let writers = (1...3).map { RingWriter(nodeID: UInt64($0)) }
        let reader = RingReader(limit: 100)
        for writer in writers { reader.join(writer) }
        for _ in 0..<4 { for writer in writers { writer.send(5) } }
        let order = (0..<12).compactMap { _ in reader.take()?.writer }
        #expect(order == [1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3])
    }
}
