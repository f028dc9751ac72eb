import CIPN
import CLinux
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

/// A process's connection to the keeper, and the node that it may have become.
final class Member {
    let token: UInt64
    let control: ControlSocket
    let peer: PacketSocket.Peer
    /// Readable once the process is gone, though a forked child may still hold its socket.
    private let process: Descriptor?
    /// Its number, or -1.
    let processNumber: CInt
    /// Proved by a descriptor that it can reach the marker.
    var hasGreeted = false
    var isBound = false
    var node: ConnectedNode?
    var wantsNumberOfNodes = false
    var handlesOutOfBand = false
    var description: [UInt8] = []
    /// The socket by which its program knows it; 0 where it has not been shown to us.
    var handleInode: UInt64 = 0
    /// Its program has replaced itself: the handle may be open, nobody answers.
    var isGhost = false
    /// Whose handle it has shown.
    var claimed: Member?

    /// Whether the process that connected is there; also where the system cannot tell.
    var isProcessAlive: Bool {
        guard let process = processNumber >= 0 ? processNumber : nil else { return false }
        return (try? waitReadable(process, milliseconds: 0)) != true
    }

    /// Whether somebody has the handle open, as far as can be told.
    var isHandleOpen: Bool { node?.isHandleOpen ?? true }

    /// Takes note of a handle.
    func show(_ handle: consuming Descriptor) {
        if let status = try? handle.status(), status.isSocket { handleInode = status.inode }
    }

    var holdsNetwork: Bool { isBound || node != nil }

    init(token: UInt64, control: consuming ControlSocket, peer: PacketSocket.Peer, process: consuming Descriptor?) {
        self.token = token
        self.control = control
        self.peer = peer
        processNumber = process?.raw ?? -1
        self.process = process
    }
}

/// A node in the data flow: what others are given of it.
final class ConnectedNode {
    let nodeID: UInt64
    let userID: uid_t
    /// -1 for an observer, who only hears of who is there.
    var port: Int
    var receives: Bool
    var sends: Bool
    let region: Descriptor
    let readerBell: Bell
    let writerBell: Bell
    /// Sends to its handle.
    private let clapper: Descriptor
    let key: UInt64
    var pool: Descriptor?
    /// The first page of its region, from its first send on: where its head is.
    var headPage: Mapping?
    /// The index of its cursor in every region; it has one from its first send on.
    var cursor: Int?
    var hasDeparted = false
    /// Where other writers' heads were when this node joined: there it begins.
    var starts: [UInt64: UInt64] = [:]
    /// The receivers that had joined when it left, and have not yet read all that it sent.
    var owed: Set<UInt64> = []

    /// What other users ring it by, made when the first node of each asks.
    private var foreignBells: [uid_t: ForeignBells] = [:]
    /// The users whose ears it was given.
    private var heard: Set<uid_t> = []

    init(
        nodeID: UInt64, userID: uid_t, port: Int, receives: Bool, sends: Bool, region: consuming Descriptor,
        readerBell: consuming Bell, writerBell: consuming Bell, clapper: consuming Descriptor, key: UInt64
    ) {
        self.nodeID = nodeID
        self.userID = userID
        self.port = port
        self.receives = receives
        self.sends = sends
        self.region = region
        self.readerBell = readerBell
        self.writerBell = writerBell
        self.clapper = clapper
        self.key = key
    }

    /// Wakes whoever sleeps in its calls, and makes its handle readable.
    func wake() {
        if receives { readerBell.ring() }
        if sends { writerBell.ring() }
        strike()
    }

    /// Whether anybody has its handle open: a stroke is refused where not.
    var isHandleOpen: Bool { linux_is_refused(clapper.raw, key) == 0 }

    /// Makes its handle readable.
    func strike() { Handle.strike(clapper.raw, key) }

    /// What a node of `user` rings its handle by: where it is another user's, of that user's own.
    func clapper(for other: ConnectedNode) throws(Errno) -> CInt {
        isForeign(to: other) ? try foreignBells(of: other.userID).clapper.raw : clapper.raw
    }

    /// The next message that it will send; nil before the first.
    var head: UInt64? {
        switch headPage {
        case .some(let page): NodeRegion(base: page.base).head.loadAcquiring()
        case nil: nil
        }
    }

    /// Whether a node may not hold this one's eventfds: it is another user's. Root could do anything anyway.
    func isForeign(to other: ConnectedNode) -> Bool { other.userID != userID && other.userID != 0 }

    /// The bells by which a user rings this node.
    func foreignBells(of user: uid_t) throws(Errno) -> ForeignBells {
        if let bells = foreignBells[user] { return bells }
        let bells = try ForeignBells(like: clapper)
        foreignBells[user] = bells
        return bells
    }

    /// Whether this node has still to be given the ears for a user; it is, from now on.
    func beginsToHear(_ user: uid_t) -> Bool { heard.insert(user).inserted }

    var flags: UInt32 {
        (receives ? UInt32(IPN_MEMBER_RECEIVES) : 0) | (sends ? UInt32(IPN_MEMBER_SENDS) : 0)
    }
}

/// What another user rings a node by.
final class ForeignBells {
    let reader: DatagramBell
    let writer: DatagramBell
    let clapper: Descriptor

    /// - Parameter shared: the clapper of the node's own user. A handle in another network namespace cannot be found by
    ///   its name: then that one has to do.
    init(like shared: borrowing Descriptor) throws(Errno) {
        let reader = try DatagramBell()
        let writer = try DatagramBell()
        let made = linux_datagram_like(shared.raw)
        clapper = made >= 0 ? Descriptor(owning: made) : try shared.duplicate()
        self.reader = reader
        self.writer = writer
    }
}
