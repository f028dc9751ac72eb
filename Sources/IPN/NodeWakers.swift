import CIPN
import IPNRing
import IPNSystem
import SystemPackage

/// What wakes a node: the bells that others ring while it sleeps in a call, the handle that programs poll, and the word
/// that says that it is over.
///
/// Shared by the node, its two sides and the watchman of its process.
final class NodeWakers: @unchecked Sendable {
    // Sendable: all is constant after init but the six words, which are atomic, and what is the receiving side's alone.
    private let reader: Bell
    private let writer: Bell
    private let pollable: Handle
    private let ownClapper: Descriptor
    private let over: UnsafeMutablePointer<UInt64>
    /// The receiving side's: the last wait for room whose stroke it took from the handle, and gave back that often.
    private var returned: (wait: UInt64, times: Int) = (0, 0)
    /// A program that has looked as often and has not sent does not want the room.
    private static let mostReturns = 16

    /// - Parameter handle: with a name.
    init(handle: consuming Handle) throws(Errno) {
        let reader = try Bell()
        let writer = try Bell()
        let clapper = try handle.clapper()
        self.reader = reader
        self.writer = writer
        ownClapper = clapper
        pollable = handle
        over = .allocate(capacity: 6)
        over.initialize(repeating: 0, count: 6)
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

    /// The sending side has given a stroke back that is the receiving side's to take.
    private var dataWaits: SharedWord { SharedWord(UnsafeRawPointer(over), 24) }

    private var overtakings: SharedWord { SharedWord(UnsafeRawPointer(over), 32) }

    /// How often a signal handler used a side of the node whose sleep it had interrupted.
    var overtaken: UInt64 { overtakings.load() }
    func overtake() { overtakings.store(overtaken &+ 1) }

    private var leaving: SharedWord { SharedWord(UnsafeRawPointer(over), 40) }

    /// The node is about to be closed: who sleeps in it has nothing to wait for, news neither.
    var isLeaving: Bool { leaving.loadAcquiring() != 0 }

    /// A routed network has ended, with its keeper.
    var isNetworkOver: Bool { networkOver.loadAcquiring() != 0 }

    /// Takes the strokes from the handle, for the receiving side, which then looks whether there is something to receive.
    ///
    /// One that may have told of room that a sender missed is given back: whoever found none may not have begun to wait
    /// yet, is rung once only, and would wait for ever.
    func silenceReceiving(_ own: NodeRegion) {
        dataWaits.store(0)
        guard Handle.silence(handle).room else { return }
        let waiting = own.waiting.loadAcquiring()
        guard waiting & UInt64(IPN_POLLS) != 0 else { return }
        if waiting != returned.wait { returned = (waiting, 0) }
        // Who has shut down sending does not either: once more, should another thread have been about to wait.
        guard returned.times < (isSendingOver ? 1 : Self.mostReturns) else { return }
        returned.times += 1
        Handle.strike(clapper, key | Handle.room)
    }

    /// The same for the sending side, which is about to wait for room: a stroke that may tell of something else is given back.
    /// Else old ones would fill the socket of a program that never receives, and new ones be no edge.
    func silenceSending() {
        // To give it back is an edge: once, else who waits by edges would be woken for ever by what nobody receives.
        if dataWaits.load() != 0 && Handle.takesStroke(clapper) { return }
        guard Handle.silence(handle).data else { return }
        dataWaits.store(1)
        Handle.strike(clapper, key | Handle.data)
    }

    func endNetwork() {
        networkOver.storeReleasing(1)
        wakeAll()
    }

    func leave() {
        leaving.storeReleasing(1)
        endReceiving()
        endSending()
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
        wakeSleepers()
        Handle.strike(clapper, key)
    }
}
