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
    let writer: Int
    let delivery: Delivery?
    /// Where the payload begins.
    public let start: UnsafeRawPointer?
    /// Length of the payload in bytes.
    public let count: Int
    public let numberOfNodes: NumberOfNodes?
    /// Set for what came out of band. A policy's bytes are then good until the next message is taken.
    public let outOfBand: OutOfBand?

    init(writer: Int, delivery: Delivery) {
        self.writer = writer
        self.delivery = delivery
        start = delivery.bytes
        count = delivery.length
        numberOfNodes = nil
        outOfBand = nil
    }

    init(_ counts: NodeCounts) {
        writer = 0
        delivery = nil
        start = nil
        count = 0
        numberOfNodes = NumberOfNodes(readers: Int(counts.readers), writers: Int(counts.writers))
        outOfBand = OutOfBand(level: 0, tag: Int(IPN_OOB_NUMNODE_TAG))
    }

    init(_ news: OutOfBand, _ bytes: UnsafeRawPointer, count: Int) {
        writer = 0
        delivery = nil
        start = bytes
        self.count = count
        numberOfNodes = nil
        outOfBand = news
    }

    /// The payload in place.
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }
    public var tag: UInt64 { delivery?.tag ?? 0 }
    public var sequence: UInt64 { delivery?.sequence ?? 0 }
    public var time: UInt64 { delivery?.time ?? 0 }
    public var lost: UInt64 { delivery?.lost ?? 0 }
    public var sender: UInt64 { delivery?.nodeID ?? 0 }
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
