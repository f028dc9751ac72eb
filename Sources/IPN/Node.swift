import CIPN
import Glibc
import IPNControl
import IPNRing
package import IPNSystem
import SystemPackage

/// A party on a network: it receives what the others send, and sends to all of them.
///
/// The life of a node follows the sockets of the 2007 proposal: `bind` makes a network or joins it to manage it,
/// `connect` joins the data flow, `close` (or letting go of the node) leaves. The network is a file; its `r`, `w` and
/// `x` bits say who may receive, send and manage.
///
///     new --bind--> bound --connect--> connected --close--> closed
///      `-------------connect--------------^
///
/// One thread may send while another receives; two senders, or two receivers, need a lock of their own.
public final class Node: @unchecked Sendable {
    // Sendable: `outbox` is the sending thread's, `intake` the receiving thread's; what they share is `membership`,
    // which locks. Binding, connecting and closing happen with nobody sending or receiving.

    /// Which ways a node takes part.
    public struct Directions: OptionSet, Sendable {
        public let rawValue: Int
        public init(rawValue: Int) { self.rawValue = rawValue }
        public static let receive = Directions(rawValue: 1)
        public static let send = Directions(rawValue: 2)
        public static let both: Directions = [.receive, .send]
    }

    /// The network's path, once bound or connected.
    public var path: String? { networkPath?.description }
    package internal(set) var networkPath: Path?
    /// Whether this node's bind made the network.
    public internal(set) var madeNetwork = false
    /// The port on the network; nil before connect, and for an observer.
    public internal(set) var port: Int?
    /// What this node may still do: what it asked for, less what the network's mode denied, less what it shut down.
    public internal(set) var directions: Directions = .both
    /// What the network has, once bound or connected.
    public internal(set) var options = NetworkOptions()

    var membership: Membership?
    var region: OwnRegion?
    var wakers: NodeWakers?
    /// Given by who has shown it to a program already; else made at connect.
    private var handle: Handle?
    /// Whether a program may poll the handle.
    var isPolled = false
    /// Whether to take part for what comes out of band alone (`IPN_SO_HANDLE_OOB`): such an observer needs any right.
    package var observes = false
    var nodeID: UInt64 = 0
    var isBound = false
    var wantsCounts = false

    // Boxes of their own, made and freed by `openOutbox`, `open(intake:)` and `close`: an optional in place would be
    // checked and copied around on every message. Exclusive by the rule above.
    var outbox: UnsafeMutablePointer<Outbox>?
    var intake: UnsafeMutablePointer<Intake>?
    /// The longest message that may be sent now; negative where none may be. For the sending thread: what is public,
    /// or lent to others while it changes, is guarded at each access by a call into the runtime.
    var sendLimit = -1

    /// A node that is on no network yet.
    public init() {}

    /// A node whose handle a program has already, and may poll.
    package init(handle: consuming Handle) {
        self.handle = consume handle
        isPolled = true
    }

    /// Makes the network at `path`, or joins it as a manager, and connects.
    ///
    /// - Parameters:
    ///   - path: of the network's file.
    ///   - options: what to make the network with; where it exists already, what it has counts.
    ///   - directions: which ways to take part.
    /// - Throws: as `bind` and `connect` do.
    public convenience init(
        binding path: String, options: NetworkOptions = NetworkOptions(), directions: Directions = .both
    ) throws(IPNError) {
        self.init()
        try bind(path, options: options)
        try connect(directions: directions)
    }

    /// Joins the network at `path`, which must be there.
    ///
    /// - Throws: as `connect` does.
    public convenience init(connecting path: String, directions: Directions = .both) throws(IPNError) {
        self.init()
        try connect(path, directions: directions)
    }

    /// Whether the node is in the data flow.
    public var isConnected: Bool { port != nil || region != nil }

    /// Leaves the network. Messages that were sent still reach who was connected.
    public func close() {
        leave()
        closeOutbox()
    }

    /// As `close`, but memory that was lent for a message stays where it is as long as the node lives.
    package func leave() {
        sendLimit = -1
        // First, as long as there is something to show to a keeper that asks.
        membership?.leave()
        closeIntake()
        membership = nil
        region = nil
        wakers = nil
        port = nil
        networkPath = nil
        isBound = false
    }

    /// As `leave`, under a call of this very thread that was interrupted: all stays where it is as long as the node lives.
    package func depart() {
        sendLimit = -1
        membership?.leave()
    }

    deinit {
        close()
    }

    /// Takes another handle, before anything was done with the one there is.
    func replaceHandle(_ handle: consuming Handle) { self.handle = consume handle }

    /// The bells, and the handle with a name: for a network where they are needed first.
    func prepareWakers(_ rendezvous: String) throws(Errno) -> NodeWakers {
        if let wakers { return wakers }
        var own = handle.take()
        if own == nil { own = try Handle() }
        try own!.name(rendezvous: rendezvous)
        let made = try NodeWakers(handle: own!)
        wakers = made
        return made
    }

    private func closeIntake() {
        let closed = intake
        intake = nil
        closed?.deinitialize(count: 1)
        closed?.deallocate()
    }

    private func closeOutbox() {
        let closed = outbox
        outbox = nil
        closed?.deinitialize(count: 1)
        closed?.deallocate()
    }

    func box<Side: ~Copyable>(_ side: consuming Side) -> UnsafeMutablePointer<Side> {
        let pointer = UnsafeMutablePointer<Side>.allocate(capacity: 1)
        pointer.initialize(to: side)
        return pointer
    }

    /// The error for an errno on a node that is on its network.
    func failure(_ errno: Errno, _ problem: String, remedy: String? = nil) -> IPNError {
        IPNError(errno, path ?? "", problem, remedy: remedy)
    }
}

/// A node's region, which its two sides and its membership share.
final class OwnRegion: Sendable {
    let memory: SharedMemory

    init() throws(Errno) {
        memory = try SharedMemory(name: "ipn-node", size: NodeRegion.size, sealedAgainstMapping: true)
        try memory.commit(0..<Int(IPN_PAGE))
    }

    var words: NodeRegion { NodeRegion(base: memory.mapping.base) }
}
