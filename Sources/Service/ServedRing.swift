import Glibc
import IPNSystem
import Media
import Synchronization

/// Packets on their way from the thread that serves a source to who takes them: one writer, one reader.
///
/// `base` and `error` are the thread's until `isOver`, the slots before `head` the reader's, and the others the thread's.
final class ServedRing<Base: PacketSource & ~Copyable & SendableMetatype>: @unchecked Sendable {
    private(set) var base: Base
    private(set) var error: MediaError?
    /// Raised when there is a packet, or other news of the source.
    let arrivals: EventCounter
    /// Raised when somebody wants packets, or wants none any more.
    private let requests: EventCounter

    private struct Slot {
        var packet = CodedPacket(stream: 0, pts: nil, dts: nil)
        var size = 0
        /// In which turn it was taken.
        var turn = 0
    }
    private let slots: UnsafeMutableBufferPointer<Slot>
    private let bytes: UnsafeMutableRawBufferPointer
    private let largest: Int
    /// Packets that were put there, and that were freed: they count on.
    private let head = Atomic<Int>(0)
    private let tail = Atomic<Int>(0)
    /// Odd while packets are wanted; what was taken in another turn is of no use to anybody.
    private let turn = Atomic<Int>(0)
    private let away = Atomic<Bool>(false)
    private let over = Atomic<Bool>(false)
    /// Of the thread: packets for which there was no room.
    private var dropped: UInt32 = 0

    init(_ base: consuming Base, room: Int, largest: Int) throws {
        arrivals = try EventCounter()
        requests = try EventCounter()
        self.base = base
        self.largest = largest
        slots = .allocate(capacity: room)
        slots.initialize(repeating: Slot())
        bytes = .allocate(byteCount: room * largest, alignment: 64)
    }

    deinit {
        slots.deallocate()
        bytes.deallocate()
    }

    var isAway: Bool { away.load(ordering: .acquiring) }
    var isOver: Bool { over.load(ordering: .acquiring) }
    var hasPackets: Bool { head.load(ordering: .acquiring) != tail.load(ordering: .relaxed) }

    // MARK: The reader's

    func want(_ isWanted: Bool) {
        guard (turn.load(ordering: .relaxed) & 1 == 1) != isWanted else { return }
        turn.wrappingAdd(1, ordering: .releasing)
        requests.raise()
    }

    /// The oldest packet of this turn; what is left of others goes.
    func first() -> CodedPacket? {
        while hasPackets {
            let slot = slots[tail.load(ordering: .relaxed) % slots.count]
            if slot.turn == turn.load(ordering: .relaxed) { return slot.packet }
            free()
        }
        return nil
    }

    func withFirst<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        let place = tail.load(ordering: .relaxed) % slots.count
        let memory = UnsafeRawBufferPointer(rebasing: bytes[place * largest..<place * largest + slots[place].size])
        return try body(RawSpan(_unsafeBytes: memory))
    }

    func free() { tail.wrappingAdd(1, ordering: .releasing) }

    // MARK: The thread's

    /// Serves the source until its end, or a stop. RT safe as far as the source is.
    func serve(_ stop: StopSignal, _ begin: () -> Void) {
        base.listen(to: requests.descriptor.raw)
        var hasBegun = false
        while !stop.isRaised {
            let turn = turn.load(ordering: .acquiring)
            if turn & 1 == 0 {
                base.rest()
                try? Pause(stop: stop).wait(for: requests.descriptor.raw, until: nil)
                requests.clear()
                continue
            }
            if !hasBegun { begin() }
            hasBegun = true
            do throws(MediaError) {
                guard let packet = try base.next() else { break }
                put(packet, turn)
            } catch {
                guard error.code == .interrupted else {
                    self.error = error
                    break
                }
                requests.clear()
            }
            if base.isAway != away.load(ordering: .relaxed) {
                away.store(base.isAway, ordering: .releasing)
                arrivals.raise()
            }
        }
        over.store(true, ordering: .releasing)
        arrivals.raise()
    }

    private func put(_ packet: CodedPacket, _ turn: Int) {
        let head = head.load(ordering: .relaxed)
        let size = base.withBytes { $0.byteCount }
        guard head - tail.load(ordering: .acquiring) < slots.count, size <= largest else {
            dropped &+= 1 &+ packet.lost
            return
        }
        let place = head % slots.count
        var slot = Slot(packet: packet, size: size, turn: turn)
        slot.packet.lost &+= dropped
        slot.packet.isDiscontinuity = packet.isDiscontinuity || dropped > 0
        dropped = 0
        slots[place] = slot
        base.withBytes { span in
            span.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: bytes[(place * largest)...]).copyMemory(from: $0) }
        }
        self.head.store(head + 1, ordering: .releasing)
        arrivals.raise()
    }
}
