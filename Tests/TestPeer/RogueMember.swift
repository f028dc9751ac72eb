import CIPN
import CLinux
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage
import TestSupport

/// A member that joined by hand, and does to its own memory and bells whatever it can.
struct RogueMember: ~Copyable {
    let control: ControlSocket
    private let client: Rogue
    private let region: SharedMemory
    private let options: ipn_options
    private let nodeID: UInt64
    private let reader: Bell
    private let writer: Bell
    private let handle: Handle

    /// - Parameters:
    ///   - clapper: what the others are to strike in place of its handle.
    ///   - key: with what.
    ///   - receives: else it holds nobody up who sends.
    init(_ client: Rogue, clapper wrong: CInt? = nil, key: UInt64? = nil, receives: Bool = true) throws {
        let control = try client.connection()
        try client.greet(control)
        let region = try SharedMemory(name: "rogue", size: NodeRegion.size, sealedAgainstMapping: true)
        let memory = try region.readOnlyDescriptor()
        let reader = try Bell()
        let writer = try Bell()
        let handle = try Handle()
        try handle.name(rendezvous: client.door)
        let clapper = try handle.clapper()
        var request = client.request(IPN_OP_CONNECT)
        request.key = key ?? handle.key
        if !receives { request.want = UInt32(IPN_WANT_SEND) }
        var answer = ipn_answer()
        let error = try client.ask(
            control, request, [memory.raw, reader.descriptor.raw, writer.descriptor.raw, wrong ?? clapper.raw, handle.descriptor.raw]
        ) { answer = $0 }
        guard error == 0 else { throw Trouble("cannot join: \(error)") }
        NodeRegion.initialize(region.mapping.base, nodeID: answer.value)
        self.control = control
        self.client = client
        self.region = region
        self.reader = reader
        self.writer = writer
        self.handle = handle
        options = answer.options
        nodeID = answer.value
    }

    /// Says to all that it sleeps, under a new number each time, with bells that take nothing: whoever adds to a full eventfd
    /// waits, and so does who reads an empty one, unless the eventfd says otherwise, and it is ours to say.
    func jamOwnBells() throws {
        let bells = [reader.descriptor.raw, writer.descriptor.raw]
        var sleep: UInt64 = 0
        while client.goesOn() {
            for bell in bells {
                var count: UInt64 = 0
                _ = fcntl(bell, F_SETFL, CInt(O_NONBLOCK))
                _ = read(bell, &count, 8)
                // Empty every other time, and full in between.
                count = .max - 1
                if sleep & 8 != 0 { _ = write(bell, &count, 8) }
                _ = fcntl(bell, F_SETFL, 0)
            }
            sleep += 8
            for word in [IPN_NODE_ARMED, IPN_NODE_WAITING] { store(sleep | UInt64(IPN_ASLEEP), at: Int(word)) }
            if sleep == 8 { client.say("jammed") }
        }
    }

    /// Whoever sleeps in one that has become `O_NONBLOCK` does not sleep any more.
    func changeFlagsOfBells() throws {
        for (bell, _) in try givenBells() { _ = fcntl(bell, F_SETFL, CInt(O_NONBLOCK)) }
        client.say("changed")
        client.waitForEnd()
    }

    /// Rings all the bells that it is given, and fills the sockets among them.
    func ringWithoutEnd() throws {
        let given = try givenBells()
        client.say("ringing")
        while client.goesOn() {
            for (raw, key) in given {
                _ = eventfd_write(raw, 1)
                linux_ring(raw)
                linux_ring_datagram(raw)
                linux_send_key(raw, key)
            }
        }
    }

    /// What a roster gives it of others, bells among it, with the key of the first node.
    private func givenBells() throws -> [(CInt, UInt64)] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ControlSocket.packetSize, alignment: 16)
        defer { buffer.deallocate() }
        try control.send(client.request(IPN_OP_PULL))
        var packet = try control.socket.receive(into: buffer)
        let item = buffer.loadUnaligned(fromByteOffset: MemoryLayout<ipn_answer>.size, as: ipn_roster_item.self)
        var given: [(CInt, UInt64)] = []
        while let handed = packet.descriptors.next() { given.append((handed.release(), item.key)) }
        return given
    }

    /// A pool that holds together at first sight; then random words, everywhere in it and in the region.
    func scribble(_ random: inout SeededRandom) throws {
        let layout = PoolLayout(mtu: Int(options.mtu), slots: 64)
        let pool = try SharedMemory(name: "scribbled", size: layout.size, sealedAgainstMapping: false)
        let words = NodeRegion(base: region.mapping.base)
        var writer = PoolWriter(base: pool.mapping.base, layout: layout, region: words, nodeID: nodeID)
        let handle = try pool.readOnlyDescriptor()
        guard try client.ask(control, client.request(IPN_OP_POOL), [handle.raw]) == 0 else { throw Trouble("no pool") }
        client.say("scribbling")
        while client.goesOn() {
            for _ in 0..<200 {
                // Some true messages among it, so that somebody looks.
                if let slot = writer.reserve(100) { writer.publish(slot, length: 100, time: 1, tag: 1) }
                let value = Self.nasty(writer.next, &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    let places = [IPN_NODE_HEAD, IPN_NODE_OLDEST, IPN_NODE_ARMED, IPN_NODE_WAITING]
                    store(value, at: Int(places.randomElement(using: &random)!))
                case 1:
                    let cursor = NodeRegion.cursorRange(Int.random(in: 0..<8, using: &random))
                    store(value, at: cursor.lowerBound + 8 * Int.random(in: 0..<8, using: &random))
                case 2:
                    store(value, at: 8 * Int.random(in: 0..<NodeRegion.size / 8, using: &random))
                default:
                    let end = Bool.random(using: &random) ? layout.classesOffset : layout.size
                    let place = 8 * Int.random(in: 0..<end / 8, using: &random)
                    pool.mapping.base.storeBytes(of: value, toByteOffset: place, as: UInt64.self)
                }
            }
        }
    }

    /// Claims to have sent more than anybody can.
    func boast() throws {
        let layout = PoolLayout(mtu: Int(options.mtu), slots: 64)
        let pool = try SharedMemory(name: "boasted", size: layout.size, sealedAgainstMapping: false)
        let writer = PoolWriter(
            base: pool.mapping.base, layout: layout, region: NodeRegion(base: region.mapping.base), nodeID: nodeID)
        let handle = try pool.readOnlyDescriptor()
        guard try client.ask(control, client.request(IPN_OP_POOL), [handle.raw]) == 0 else { throw Trouble("no pool") }
        let header = MemoryLayout<ipn_pool_header>.size
        memset(pool.mapping.base + header, 0xff, layout.classesOffset - header)
        store(writer.next + 1 << 40, at: Int(IPN_NODE_HEAD))
        client.say("boasting")
        client.waitForEnd()
    }

    /// Hands in a pool of so many bytes, that somebody may still have to read when we are gone.
    func pile(_ bytes: Int) throws {
        let layout = PoolLayout(mtu: Int(options.mtu), slots: 64)
        let pool = try SharedMemory(name: "piled", size: max(layout.size, bytes), sealedAgainstMapping: false)
        let writer = PoolWriter(
            base: pool.mapping.base, layout: layout, region: NodeRegion(base: region.mapping.base), nodeID: nodeID)
        precondition(writer.next == 0)
        try pool.commit(0..<bytes)
        let handle = try pool.readOnlyDescriptor()
        client.say("error \(try client.ask(control, client.request(IPN_OP_POOL), [handle.raw]))")
        client.waitForEnd()
    }

    private func store(_ value: UInt64, at offset: Int) {
        region.mapping.base.storeBytes(of: value, toByteOffset: offset, as: UInt64.self)
    }

    /// Values that arithmetic stumbles over, and some near the truth.
    private static func nasty(_ truth: UInt64, _ random: inout SeededRandom) -> UInt64 {
        switch Int.random(in: 0..<6, using: &random) {
        case 0: 0
        case 1: .max
        case 2: UInt64(Int64.max) + UInt64.random(in: 0...1, using: &random)
        case 3: truth &+ UInt64.random(in: 0...40, using: &random)
        case 4: truth &- UInt64.random(in: 0...40, using: &random)
        default: random.next()
        }
    }
}
