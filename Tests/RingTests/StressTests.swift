import CIPN
import Foundation
import IPNRing
import Synchronization
import Testing
import TestSupport

/// Writer and readers at the same time, in threads, until every byte was checked.
@Suite struct StressTests {
    static let messages: UInt64 = 25_000

    /// Runs bodies in threads of their own and waits for all of them.
    private func together(_ bodies: [@Sendable () -> Void]) {
        let done = DispatchSemaphore(value: 0)
        for body in bodies {
            Thread.detachNewThread {
                body()
                done.signal()
            }
        }
        for _ in bodies where done.wait(timeout: .now() + 60) == .timedOut {
            Issue.record("a thread does not come to its end")
        }
    }

    final class Tally: Sendable {
        let wrong = Atomic<Int>(0)
        let received = Atomic<UInt64>(0)
        let lost = Atomic<UInt64>(0)
        let isOver = Atomic<Bool>(false)
    }

    @Test func lossyReadersSeeWholeMessagesAndExactLosses() {
        let writer = RingWriter(mtu: 1000, slots: 26, limit: 8)
        let readers = (0..<3).map { RingReader(nodeID: 100 + $0, limit: 8) }
        let tallies = readers.map { _ in Tally() }
        for reader in readers { reader.join(writer) }
        let bodies: [@Sendable () -> Void] = zip(readers, tallies).map { reader, tally in
            { @Sendable in
                var next: UInt64 = 0
                while next < Self.messages {
                    guard let taken = reader.take() else {
                        if tally.isOver.load(ordering: .acquiring) && !reader.isReadable() { break }
                        sched_yield()
                        continue
                    }
                    if !taken.isWhole || taken.sequence - taken.lost != next { tally.wrong.add(1, ordering: .relaxed) }
                    next = taken.sequence + 1
                    tally.received.add(1, ordering: .relaxed)
                    tally.lost.add(taken.lost, ordering: .relaxed)
                }
            }
        }
        together(
            bodies + [
                { @Sendable in
                    var random = SeededRandom(3)
                    while writer.writer.next < Self.messages {
                        if !writer.send(Int.random(in: 0...1000, using: &random)) { sched_yield() }
                        if writer.writer.next % 16 == 0 { sched_yield() }
                    }
                    for tally in tallies { tally.isOver.store(true, ordering: .releasing) }
                }
            ])
        for tally in tallies {
            #expect(tally.wrong.load(ordering: .relaxed) == 0)
            let received = tally.received.load(ordering: .relaxed)
            #expect(received > 0)
            #expect(received + tally.lost.load(ordering: .relaxed) == Self.messages)
        }
    }

    @Test func losslessReadersGetEveryMessageOfEveryWriter() {
        let writers = (1...2).map { RingWriter(nodeID: UInt64($0), mtu: 600, slots: 24, limit: nil) }
        let readers = (0..<2).map { RingReader(nodeID: 100 + $0, overwrites: false) }
        let tallies = readers.map { _ in Tally() }
        for reader in readers { for writer in writers { reader.join(writer) } }
        var bodies: [@Sendable () -> Void] = zip(readers, tallies).map { reader, tally in
            { @Sendable in
                var next: [UInt64: UInt64] = [:]
                while tally.received.load(ordering: .relaxed) < 2 * Self.messages {
                    guard let taken = reader.take() else {
                        sched_yield()
                        continue
                    }
                    let due = next[taken.writer] ?? 0
                    if !taken.isWhole || taken.lost != 0 || taken.sequence != due { tally.wrong.add(1, ordering: .relaxed) }
                    next[taken.writer] = due + 1
                    tally.received.add(1, ordering: .relaxed)
                }
            }
        }
        for writer in writers {
            bodies.append { @Sendable in
                var random = SeededRandom(writer.nodeID)
                while writer.writer.next < Self.messages {
                    if !writer.send(Int.random(in: 0...600, using: &random)) { sched_yield() }
                }
            }
        }
        together(bodies)
        for tally in tallies { #expect(tally.wrong.load(ordering: .relaxed) == 0) }
    }

    /// A message that is held under a racing writer never changes.
    @Test func heldMessagesDoNotChangeUnderARacingWriter() {
        let writer = RingWriter(mtu: 1000, slots: 26, limit: 8)
        let reader = RingReader(limit: 8)
        reader.join(writer)
        let tally = Tally()
        together([
            { @Sendable in
                var held: [Delivery] = []
                while !(tally.isOver.load(ordering: .acquiring) && !reader.isReadable()) {
                    if let delivery = reader.hold() { held.append(delivery) } else { sched_yield() }
                    guard held.count == Int(IPN_PINS) else { continue }
                    for delivery in held {
                        if !reader.isWhole(delivery) { tally.wrong.add(1, ordering: .relaxed) }
                        reader.release(delivery)
                        tally.received.add(1, ordering: .relaxed)
                    }
                    held.removeAll(keepingCapacity: true)
                }
            },
            { @Sendable in
                while writer.writer.next < Self.messages { if !writer.send(900) { sched_yield() } }
                tally.isOver.store(true, ordering: .releasing)
            },
        ])
        #expect(tally.wrong.load(ordering: .relaxed) == 0)
        #expect(tally.received.load(ordering: .relaxed) > 0)
    }
}
