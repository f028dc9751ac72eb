import CIPN
import IPNRing

/// Who is connected: the numbers that a numnode OOB message tells.
public struct NumberOfNodes: Equatable, Sendable {
    public let readers: Int
    public let writers: Int

    public init(readers: Int, writers: Int) {
        self.readers = readers
        self.writers = writers
    }
}

/// Where a message out of band comes from: level 0 is the bus, which tells who is connected; a policy's level is its protocol.
public struct OutOfBand: Equatable, Sendable {
    public let level: Int
    /// What it is about, among the messages of one level.
    public let tag: Int

    public init(level: Int, tag: Int) {
        self.level = level
        self.tag = tag
    }
}

/// A message as a copy of one's own.
public struct Message: Sendable {
    /// The payload; empty for news of who is connected.
    public let bytes: [UInt8]
    /// 64 bits that the sender gave beside the payload.
    public let tag: UInt64
    /// Counts up by one for each message of the same sender.
    public let sequence: UInt64
    /// When it was sent: CLOCK_MONOTONIC, nanoseconds. 0 on a LOSSLESS network, where nothing is decided by age.
    public let time: UInt64
    /// Messages of the same sender, right before this one, that were lost: `sequence - lost ..< sequence`. What a sender
    /// lost of that has left meanwhile is in `Node.lostCount`.
    public let lost: UInt64
    /// Who sent it: a number that the network gives to no other node.
    public let sender: UInt64
    /// Set in place of a payload when this is news of who is connected (see `Node.wantsNumberOfNodes`).
    public let numberOfNodes: NumberOfNodes?
    /// Set for what came out of band.
    public let outOfBand: OutOfBand?

    init(copying message: borrowing ArrivedMessage) {
        bytes = [UInt8](UnsafeRawBufferPointer(start: message.start, count: message.count))
        tag = message.tag
        sequence = message.sequence
        time = message.time
        lost = message.lost
        sender = message.sender
        numberOfNodes = message.numberOfNodes
        outOfBand = message.outOfBand
    }
}

/// A message where it lies in its sender's memory. The bytes are another process's, which could change them at any
/// time: check a copy of what a decision depends on.
public struct ArrivedMessage {
    // Small, and without options: it is copied on the way to the program, with every message.
    /// Of what came out of band only the bytes and their length count.
    let delivery: Delivery
    let writer: Int32
    let origin: Origin

    enum Origin: UInt8 {
        /// A node's data.
        case writer
        /// Who is connected; the tag is the counts.
        case bus
        /// The tag is the level and the tag, 32 bits each.
        case policy
    }

    init(writer: Int, delivery: Delivery) {
        self.writer = Int32(truncatingIfNeeded: writer)
        self.delivery = delivery
        origin = .writer
    }

    init(_ counts: NodeCounts) {
        writer = -1
        delivery = Delivery(bytes: UnsafeRawPointer(bitPattern: 1)!, length: 0, tag: counts.packed)
        origin = .bus
    }

    /// What a policy tells: bytes that are good until the next message is taken.
    init(level: Int32, tag: Int32, _ bytes: UnsafeRawPointer, count: Int) {
        writer = -1
        delivery = Delivery(bytes: bytes, length: count, tag: UInt64(UInt32(bitPattern: level)) << 32 | UInt64(UInt32(bitPattern: tag)))
        origin = .policy
    }

    var isData: Bool { origin == .writer }

    /// Where the payload begins.
    public var start: UnsafeRawPointer? { origin == .bus ? nil : delivery.bytes }
    /// Length of the payload in bytes.
    public var count: Int { delivery.length }
    public var numberOfNodes: NumberOfNodes? {
        guard origin == .bus else { return nil }
        let counts = NodeCounts(packed: delivery.tag)
        return NumberOfNodes(readers: Int(counts.readers), writers: Int(counts.writers))
    }
    /// Set for what came out of band. A policy's bytes are then good until the next message is taken.
    public var outOfBand: OutOfBand? {
        switch origin {
        case .writer: nil
        case .bus: OutOfBand(level: 0, tag: Int(IPN_OOB_NUMNODE_TAG))
        case .policy:
            OutOfBand(level: Int(Int32(truncatingIfNeeded: delivery.tag >> 32)), tag: Int(Int32(truncatingIfNeeded: delivery.tag)))
        }
    }

    /// The payload in place.
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }
    public var tag: UInt64 { isData ? delivery.tag : 0 }
    public var sequence: UInt64 { delivery.sequence }
    public var time: UInt64 { delivery.time }
    public var lost: UInt64 { delivery.lost }
    public var sender: UInt64 { delivery.nodeID }
}

/// A message that is held in place until it is let go.
public struct HeldMessage: ~Copyable {
    public let message: ArrivedMessage
    private let node: Node
    /// The mapping that it lies in: its sender may be gone.
    private let memory: AnyObject?

    init(_ message: ArrivedMessage, node: Node, memory: AnyObject?) {
        self.message = message
        self.node = node
        self.memory = memory
    }

    deinit {
        node.release(message)
    }
}
