import IPNRing
import IPNSystem
import SystemPackage

/// What wakes a node: the bells that others ring while it sleeps in a call, the handle that programs poll, and the word
/// that says that it is over.
///
/// Shared by the node, its two sides and the watchman of its process.
final class NodeWakers: @unchecked Sendable {
    // Sendable: all is constant after init but the three words, which are atomic.
    private let reader: Bell
    private let writer: Bell
    private let pollable: Handle
    private let ownClapper: Descriptor
    private let over: UnsafeMutablePointer<UInt64>

    /// - Parameter handle: with a name.
    init(handle: consuming Handle) throws(Errno) {
        let reader = try Bell()
        let writer = try Bell()
        let clapper = try handle.clapper()
        self.reader = reader
        self.writer = writer
        ownClapper = clapper
        pollable = handle
        over = .allocate(capacity: 3)
        over.initialize(repeating: 0, count: 3)
    }

    deinit { over.deallocate() }

    /// Numbers, good as long as this lives.
    var readerBell: CInt { reader.descriptor.raw }
    var writerBell: CInt { writer.descriptor.raw }
    var handle: CInt { pollable.descriptor.raw }
    var clapper: CInt { ownClapper.raw }
    var key: UInt64 { pollable.key }

    private var receivingOver: SharedWord { SharedWord(UnsafeRawPointer(over), 0) }
    private var sendingOver: SharedWord { SharedWord(UnsafeRawPointer(over), 8) }

    /// Receiving was shut down, by whatever thread: who sleeps in it has nothing to wait for.
    var isReceivingOver: Bool { receivingOver.loadAcquiring() != 0 }
    var isSendingOver: Bool { sendingOver.loadAcquiring() != 0 }
    private var networkOver: SharedWord { SharedWord(UnsafeRawPointer(over), 16) }

    /// A routed network has ended, with its keeper.
    var isNetworkOver: Bool { networkOver.loadAcquiring() != 0 }

    func endNetwork() {
        networkOver.storeReleasing(1)
        wakeAll()
    }

    func endReceiving() {
        receivingOver.storeReleasing(1)
        wakeAll()
    }

    func endSending() {
        sendingOver.storeReleasing(1)
        wakeAll()
    }

    /// Has those look who sleep in a call: what is new to them brings its own stroke to those who poll.
    func wakeSleepers() {
        reader.ring()
        writer.ring()
    }

    /// Has everybody look: who sleeps in a call, and who polls.
    func wakeAll() {
        reader.ring()
        writer.ring()
        Handle.strike(clapper, key)
    }
}
