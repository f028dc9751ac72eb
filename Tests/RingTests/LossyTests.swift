import CIPN
import IPNRing
import Testing
import TestSupport

/// LOSSY: the oldest go, and how many went is told exactly.
@Suite struct LossyTests {
    @Test(arguments: [UInt64(1), 2, 8, 13]) func readerKeepsTheNewest(limit: UInt64) throws {
        let writer = RingWriter(slots: 64, limit: limit)
        let reader = RingReader(limit: limit)
        reader.join(writer)
        for burst in [1, Int(limit), Int(limit) + 1, 100, 10_000] {
            let start = writer.writer.next
            for _ in 0..<burst { writer.send(40) }
            let kept = min(UInt64(burst), limit)
            for index in 0..<kept {
                let taken = try #require(reader.take())
                #expect(taken.isWhole)
                #expect(taken.sequence == start + UInt64(burst) - kept + index)
                #expect(taken.lost == (index == 0 ? UInt64(burst) - kept : 0))
            }
            #expect(reader.take() == nil)
        }
    }

    @Test func everyMessageIsReadOrLost() {
        var random = SeededRandom(7)
        let writer = RingWriter(slots: 20, limit: 8)
        let reader = RingReader(limit: 8)
        reader.join(writer)
        var next: UInt64 = 0
        var lost: UInt64 = 0
        for _ in 0..<5000 {
            for _ in 0..<Int.random(in: 0...30, using: &random) { writer.send(Int.random(in: 0...1514, using: &random)) }
            for _ in 0..<Int.random(in: 0...10, using: &random) {
                guard let taken = reader.take() else { break }
                #expect(taken.isWhole)
                #expect(taken.sequence - taken.lost == next)
                next = taken.sequence + 1
                lost += taken.lost
            }
        }
        #expect(lost > 0)
        #expect(reader.words.lost.load() == lost, "what others are shown")
        #expect(reader.words.received.load() + lost == next)
    }

    @Test func aSlowReaderCostsTheOthersNothing() throws {
        let writer = RingWriter(slots: 20, limit: 8)
        let (quick, slow) = (RingReader(nodeID: 100), RingReader(nodeID: 101))
        quick.join(writer)
        slow.join(writer)
        for sequence in 0..<UInt64(5000) {
            #expect(writer.send(100))
            #expect(quick.take() == RingReader.Taken(sequence: sequence, lost: 0, count: 100, isWhole: true, writer: 1))
        }
        let first = try #require(slow.take())
        #expect(first.lost == 4992 && first.sequence == 4992)
    }

    @Test func theLimitIsOverAllWritersAndTheOldestGo() throws {
        let (old, new) = (RingWriter(nodeID: 1), RingWriter(nodeID: 2))
        let reader = RingReader(limit: 6)
        reader.join(old)
        reader.join(new)
        for _ in 0..<5 { old.send(8) }
        new.clock = 1000
        for _ in 0..<4 { new.send(8) }
        var taken: [RingReader.Taken] = []
        while let next = reader.take() { taken.append(next) }
        #expect(taken.filter { $0.writer == 1 }.map(\.sequence) == [3, 4])
        #expect(taken.filter { $0.writer == 2 }.map(\.sequence) == [0, 1, 2, 3])
        #expect(taken.map(\.lost).reduce(0, +) == 3)
    }

    /// More than is looked for one by one.
    @Test(arguments: [60, 200, 900]) func theOldestOfManyWritersGo(limit: Int) throws {
        var random = SeededRandom(UInt64(limit))
        let writers = (1...5).map { RingWriter(nodeID: UInt64($0), slots: 1100, limit: 1000) }
        let reader = RingReader(limit: UInt64(limit))
        for writer in writers { reader.join(writer) }
        var sent: [(time: UInt64, writer: UInt64, sequence: UInt64)] = []
        var now: UInt64 = 5
        for _ in 0..<1000 {
            let writer = writers.randomElement(using: &random)!
            // Some of one moment.
            now += UInt64.random(in: 0...2, using: &random)
            writer.clock = now - 1
            sent.append((now, writer.nodeID, writer.writer.next))
            writer.send(8)
        }
        var taken: [RingReader.Taken] = []
        while let next = reader.take() { taken.append(next) }
        #expect(taken.count == limit)
        #expect(taken.map(\.lost).reduce(0, +) == UInt64(1000 - limit))
        // All that is newer than the last that may go, and nothing that is older.
        let moment = sent[1000 - limit].time
        let takenKeys = Set(taken.map { [$0.writer, $0.sequence] })
        for message in sent where message.time > moment { #expect(takenKeys.contains([message.writer, message.sequence])) }
        for message in sent where message.time < moment { #expect(!takenKeys.contains([message.writer, message.sequence])) }
    }

    @Test func aWindowBelowTheNetworksIsTheReadersOwn() throws {
        let writer = RingWriter(slots: 64, limit: 8)
        let (viewer, recorder) = (RingReader(nodeID: 100, limit: 1), RingReader(nodeID: 101, limit: 8))
        viewer.join(writer)
        recorder.join(writer)
        for _ in 0..<8 { writer.send(8) }
        #expect(try #require(viewer.take()).lost == 7)
        #expect(viewer.take() == nil)
        #expect((0..<8).compactMap { _ in recorder.take()?.sequence } == Array(0..<8))
    }

    @Test func historyIsKeptForThoseWhoComeLater() throws {
        let writer = RingWriter(slots: 32, limit: 8, history: 10)
        let early = RingReader(nodeID: 100)
        early.join(writer)
        for _ in 0..<500 {
            writer.send(200)
            _ = early.take()
        }
        writer.retire()
        let late = RingReader(nodeID: 101, limit: 10)
        #expect(writer.words.oldest.load() <= 490)
        late.join(writer, at: 490)
        for sequence in UInt64(490)..<500 {
            #expect(late.take() == RingReader.Taken(sequence: sequence, lost: 0, count: 200, isWhole: true, writer: 1))
        }
        #expect(late.take() == nil)
    }

    @Test func readMessagesAreTakenBackEarlyWithoutHistory() {
        let writer = RingWriter(slots: 32, limit: 8)
        let reader = RingReader()
        reader.join(writer)
        for _ in 0..<8 {
            writer.send(10)
            _ = reader.take()
        }
        writer.retire()
        #expect(writer.words.oldest.load() == 8)
    }
}
