import Glibc
import IPNSystem
import Media

/// A source that a thread of its own serves, before what may take long with its packets: a sound card before a coder.
///
/// What the thread has taken from the source waits in a ring, from which `next` takes it. The source's streams are to stay what they
/// are. Not for two threads at once.
struct ServedSource<Base: PacketSource & ~Copyable & SendableMetatype>: ~Copyable, PacketSource {
    let streams: [StreamDescription]
    private let ring: ServedRing<Base>
    private let waiting: DeviceWait
    /// Whether the packet at the ring's tail is lent.
    private var isLent = false
    /// What was told of the source's absence.
    private var saysAway = false

    /// - Parameters:
    ///   - room: packets that wait at most; what comes beyond them is lost, and counted.
    ///   - largest: octets of a packet.
    ///   - begin: called by the thread, before it asks the source for the first packet.
    /// - Throws: `.outOfMemory` if there can be no thread.
    init(_ base: consuming Base, room: Int, largest: Int, stop: StopSignal, begin: @escaping @Sendable () -> Void) throws(MediaError) {
        streams = base.streams
        ring = try Self.begin(base, room, largest, stop, begin)
        waiting = DeviceWait(count: 1, stop: stop.flag, stopDescriptor: stop.descriptor)
        waiting.descriptors[0].fd = ring.arrivals.descriptor.raw
    }

    private static func begin(
        _ base: consuming Base, _ room: Int, _ largest: Int, _ stop: StopSignal, _ begin: @escaping @Sendable () -> Void
    ) throws(MediaError) -> ServedRing<Base> {
        do {
            let ring = try ServedRing(base, room: room, largest: largest)
            try startThread { ring.serve(stop, begin) }
            return ring
        } catch {
            throw MediaError(.outOfMemory, what: "no thread for a sound card", cause: "\(error)")
        }
    }

    /// - Throws: what the source does.
    mutating func next() throws(MediaError) -> CodedPacket? {
        if isLent { ring.free() }
        isLent = false
        ring.want(true)
        while true {
            if let packet = ring.first() {
                isLent = true
                return packet
            }
            if ring.isAway != saysAway {
                saysAway = ring.isAway
                throw MediaError(.interrupted, what: "gone, or back")
            }
            if ring.isOver {
                // It may have put one there before it ended.
                if ring.hasPackets { continue }
                if let error = ring.error { throw error }
                return nil
            }
            if try waiting.wait(until: .max) { ring.arrivals.clear() }
        }
    }

    func withBytes<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        guard isLent else { return try body(RawSpan()) }
        return try ring.withFirst(body)
    }

    mutating func rest() {
        if isLent { ring.free() }
        isLent = false
        ring.want(false)
    }

    mutating func listen(to descriptor: CInt) { waiting.listen(to: descriptor) }
    var isAway: Bool { ring.isAway }

    /// Waits until the thread is done with the source, after its end or a stop, and lends the source.
    func whenOver(_ body: (borrowing Base) throws -> Void) throws {
        while !ring.isOver {
            var news = pollfd(fd: ring.arrivals.descriptor.raw, events: Int16(POLLIN), revents: 0)
            poll(&news, 1, -1)
            ring.arrivals.clear()
        }
        try body(ring.base)
    }
}
