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
    /// Why it cannot stay: its first request is answered with it, and it goes.
    var refusal: Errno?
    var isBound = false
    var node: ConnectedNode?
    var wantsNumberOfNodes = false
    var handlesOutOfBand = false
    var description: [UInt8] = []
    /// The socket by which its program knows it; 0 where it has not been shown to us.
    private(set) var handleCookie: UInt64 = 0
    /// What strikes it, where it is no node: for a node that is its clapper.
    private var voice: Voice?
    /// Its program has replaced itself: the handle may be open, nobody answers.
    var isGhost = false
    /// Its process has ended, and somebody has inherited the handle: what its node might do (`IPN_MEMBER_*`), 0 where it had none.
    var bequest: UInt32?
    /// Whose handle it has shown.
    var claimed: Member?

    /// Whether the process that connected is there; also where the system cannot tell.
    var isProcessAlive: Bool {
        guard let process = processNumber >= 0 ? processNumber : nil else { return false }
        return (try? waitReadable(process, milliseconds: 0)) != true
    }

    /// Whether somebody has the handle open, as far as can be told.
    var isHandleOpen: Bool { node?.isHandleOpen ?? voice?.isHeard ?? true }

    /// Takes note of a handle, and closes it.
    func show(_ handle: consuming HandedDescriptor) {
        guard case .datagramSocket = HandedKind(of: handle.raw) else { return }
        handleCookie = linux_socket_cookie(handle.raw)
    }

    /// Takes note of a handle, and of what strikes it, before there is a node.
    /// - Throws: `EINVAL` where nothing can be struck by that.
    func show(_ handle: consuming HandedDescriptor, clapper: consuming HandedDescriptor, key: UInt64) throws(Errno) {
        try clapper.check(is: .datagramSocket)
        guard Handle.isKey(key) else { throw Errno.invalidArgument }
        show(handle)
        voice = Voice(clapper: clapper, key: key)
    }

    /// What it leaves to whoever has inherited its handle, when its process has ended.
    /// - Returns: its node, which is no longer.
    func bequeath() -> ConnectedNode? {
        isGhost = false
        bequest = bequest ?? node?.flags ?? 0
        guard let node else { return nil }
        // Without a descriptor for it, the one from its bind has to do.
        do throws(Errno) { voice = Voice(clapper: try node.duplicateClapper(), key: node.key) } catch {}
        self.node = nil
        return node
    }

    /// Nobody answers for it any more; what it stands for may be claimed.
    var isGone: Bool { isGhost || bequest != nil }

    /// Whether it is in the data flow, or was when its process ended.
    var wasConnected: Bool { node != nil || bequest ?? 0 != 0 }

    /// What its node may do, or might.
    var flags: UInt32 { node?.flags ?? bequest ?? 0 }

    var holdsNetwork: Bool { isBound || node != nil || bequest != nil }

    init(token: UInt64, control: consuming ControlSocket, peer: PacketSocket.Peer, process: consuming Descriptor?) {
        self.token = token
        self.control = control
        self.peer = peer
        processNumber = process?.raw ?? -1
        self.process = process
    }
}

/// What strikes a handle.
private final class Voice {
    private let clapper: HandedDescriptor
    private let key: UInt64

    init(clapper: consuming HandedDescriptor, key: UInt64) {
        self.clapper = clapper
        self.key = key
    }

    /// Whether anybody has the handle open.
    var isHeard: Bool { linux_is_heard(clapper.raw, key) != 0 }
}

/// A node in the data flow: what others are given of it.
final class ConnectedNode {
    let nodeID: UInt64
    let userID: uid_t
    /// -1 for an observer, who only hears of who is there.
    var port = Int(IPN_PORTNO_ANY)
    var receives: Bool
    var sends: Bool
    let region: Descriptor
    let readerBell: Bell
    let writerBell: Bell
    /// Sends to its handle.
    private let clapper: HandedDescriptor
    let key: UInt64
    var pool: Descriptor?
    /// The index of its cursor in every region; it has one from its first send on.
    var cursor: Int?
    var hasDeparted = false
    /// Its place on the roll.
    var place: Int?
    /// It knows that it is connected.
    var isAnswered = false
    /// Its program had bound before it connected.
    var isBound = false
    /// It knew nothing of the roster before this keeper: what others send to it begins with what they send now.
    var isNewHere = true
    /// Where other writers' heads were when this node joined: there it begins.
    var starts: [UInt64: UInt64] = [:]
    /// The receivers that had joined when it left, and have not yet read all that it sent.
    var owed: Set<UInt64> = []

    /// What the keeper rings it by, where that is another user's process, which could take strokes from an eventfd.
    private(set) var keeperBells: ForeignBells?
    /// Whether it was given the other ends.
    var hearsKeeper = false

    /// What other users ring it by, made when the first node of each asks.
    private var foreignBells: [uid_t: ForeignBells] = [:]
    /// The users whose ears it was given.
    private var heard: Set<uid_t> = []

    init(
        nodeID: UInt64, userID: uid_t, receives: Bool, sends: Bool, region: consuming Descriptor,
        readerBell: consuming Bell, writerBell: consuming Bell, clapper: consuming HandedDescriptor, key: UInt64
    ) {
        self.nodeID = nodeID
        self.userID = userID
        self.receives = receives
        self.sends = sends
        self.region = region
        self.readerBell = readerBell
        self.writerBell = writerBell
        self.clapper = clapper
        self.key = key
    }

    /// Has the keeper, another user's process, ring what no stranger can make it wait for. Once.
    func makeKeeperBells() throws(Errno) { keeperBells = try ForeignBells(like: clapper) }

    /// Wakes whoever sleeps in its calls, and makes its handle readable.
    func wake() {
        if receives { ringReader() }
        if sends { ringWriter() }
        strike()
    }

    /// Whether anybody has its handle open.
    var isHandleOpen: Bool { linux_is_heard(clapper.raw, key) != 0 }

    func duplicateClapper() throws(Errno) -> HandedDescriptor { try clapper.duplicate() }

    /// How to wake its reader and its writer, by what their words say. A datagram socket stands as its complement.
    var readerDoorbell: Doorbell { doorbell(keeperBells.map { ~$0.reader.clapper.raw } ?? readerBell.number) }
    var writerDoorbell: Doorbell { doorbell(keeperBells.map { ~$0.writer.clapper.raw } ?? writerBell.number) }

    private func doorbell(_ bell: CInt) -> Doorbell { Doorbell(bell: bell, clapper: keeperBells?.clapper.raw ?? clapper.raw, key: key) }

    /// Makes its handle readable.
    func strike() { Handle.strike(keeperBells?.clapper.raw ?? clapper.raw, key) }

    /// What a node of `user` rings its handle by: where it is another user's, of that user's own.
    func clapper(for other: ConnectedNode) throws(Errno) -> CInt {
        isForeign(to: other) ? try foreignBells(of: other.userID).clapper.raw : clapper.raw
    }

    func ringReader() {
        if let keeperBells { linux_ring_datagram(keeperBells.reader.clapper.raw) } else { readerBell.ring() }
    }

    func ringWriter() {
        if let keeperBells { linux_ring_datagram(keeperBells.writer.clapper.raw) } else { writerBell.ring() }
    }

    /// The next message that it will send; nil before its first.
    var head: UInt64? { pool == nil ? nil : word(Int(IPN_NODE_HEAD)) }

    /// A word of its region: its own word only, and nothing is decided for others by it.
    ///
    /// Read, not mapped: to touch a page that is not there would make it, at our expense, or be a signal where memory
    /// is short. See pread(2).
    func word(_ offset: Int) -> UInt64 {
        var word: UInt64 = 0
        return pread(region.raw, &word, MemoryLayout<UInt64>.size, off_t(offset)) == MemoryLayout<UInt64>.size ? word : 0
    }

    /// Its delays, read as `word` is; zeros where they cannot be read.
    func delays() -> ipn_delays {
        var delays = ipn_delays()
        let size = MemoryLayout<ipn_delays>.size
        return pread(region.raw, &delays, size, off_t(IPN_NODE_DELAYS)) == size ? delays : ipn_delays()
    }

    /// Whether a node is another user's. Neither may hold the other's eventfds: whoever does could take the
    /// strokes that are meant for the other, root included.
    func isForeign(to other: ConnectedNode) -> Bool { other.userID != userID }

    /// The bells by which a user rings this node.
    func foreignBells(of user: uid_t) throws(Errno) -> ForeignBells {
        if let bells = foreignBells[user] { return bells }
        let bells = try ForeignBells(like: clapper)
        foreignBells[user] = bells
        return bells
    }

    /// Whether this node has still to be given the ears for a user; it is, from now on.
    func beginsToHear(_ user: uid_t) -> Bool { heard.insert(user).inserted }

    /// A user's last node has left: what it rang this one by goes, and the ears with it.
    func forgetBells(of user: uid_t) {
        foreignBells[user] = nil
        heard.remove(user)
    }

    /// What the roll says of it.
    var state: Roll.State {
        Roll.State(
            flags: flags | (hasDeparted ? UInt32(IPN_ROLL_DEPARTED) : 0) | (isAnswered ? UInt32(IPN_ROLL_ANSWERED) : 0)
                | (isBound ? UInt32(IPN_ROLL_BOUND) : 0), cursor: cursor)
    }

    var flags: UInt32 {
        (receives ? UInt32(IPN_MEMBER_RECEIVES) : 0) | (sends ? UInt32(IPN_MEMBER_SENDS) : 0)
    }
}

/// What another user rings a node by.
final class ForeignBells {
    let reader: DatagramBell
    let writer: DatagramBell
    let clapper: HandedDescriptor

    /// - Parameter shared: the clapper of the node's own user. A handle in another network namespace cannot be found by
    ///   its name: then that one has to do.
    init(like shared: borrowing HandedDescriptor) throws(Errno) {
        let reader = try DatagramBell()
        let writer = try DatagramBell()
        let made = linux_datagram_like(shared.raw)
        clapper = made >= 0 ? HandedDescriptor(owning: made) : try shared.duplicate()
        self.reader = reader
        self.writer = writer
    }
}
