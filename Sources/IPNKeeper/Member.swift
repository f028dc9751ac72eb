import CIPN
import Glibc
import IPNControl
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
    /// -1 for an observer, who only hears of who is there.
    let port: Int
    var receives: Bool
    var sends: Bool
    let region: Descriptor
    let readerBell: Bell
    let writerBell: Bell
    var pool: Descriptor?
    /// The index of its cursor in every region; it has one from its first send on.
    var cursor: Int?
    var hasDeparted = false
    /// The receivers that had joined when it left, and have not yet read all that it sent.
    var owed: Set<UInt64> = []

    init(
        nodeID: UInt64, port: Int, receives: Bool, sends: Bool, region: consuming Descriptor,
        readerBell: consuming Bell, writerBell: consuming Bell
    ) {
        self.nodeID = nodeID
        self.port = port
        self.receives = receives
        self.sends = sends
        self.region = region
        self.readerBell = readerBell
        self.writerBell = writerBell
    }

    var flags: UInt32 {
        (receives ? UInt32(IPN_MEMBER_RECEIVES) : 0) | (sends ? UInt32(IPN_MEMBER_SENDS) : 0)
    }
}
