import CIPN
import CLinux
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

/// Another node of the network: the memory and the bells that were handed to us.
final class Peer: Sendable {
    let nodeID: UInt64
    let region: Mapping
    private let readerBell: Bell
    private let writerBell: Bell
    private let clapper: Descriptor
    private let key: UInt64

    init(
        nodeID: UInt64, region: consuming Mapping, readerBell: consuming Bell, writerBell: consuming Bell,
        clapper: consuming Descriptor, key: UInt64
    ) {
        self.nodeID = nodeID
        self.clapper = clapper
        self.key = key
        self.region = region
        self.readerBell = readerBell
        self.writerBell = writerBell
    }

    var words: NodeRegion { NodeRegion(base: region.base) }
    /// Wakes it as a receiver, and as a sender that waits for room.
    var readerDoorbell: Doorbell { Doorbell(bell: readerBell.number, clapper: clapper.raw, key: key | Handle.data) }
    var writerDoorbell: Doorbell { Doorbell(bell: writerBell.number, clapper: clapper.raw, key: key | Handle.room) }
}

/// Who is on the network, as far as this node has asked. Kept up with the keeper's roster by version.
struct PeerTable {
    struct Entry {
        let peer: Peer
        var receives: Bool
        var sends: Bool
        var hasDeparted = false
        /// On a routed network: the keeper, which takes what we send, or writes what we receive.
        var isKeeper = false
        /// Index of the cursors for it, once it sends.
        var cursor: Int?
        /// What it sends; only receivers are given it.
        var pool: PeerPool?
        /// The first message that it sent after our join.
        var start: UInt64 = 0
        /// Whether it had sent before.
        var wasThere = false
        /// When it joined and when it began to send, as places in the order of news: who joined before that is owed
        /// all of it, even before it has placed a cursor.
        var joined = 0
        var began = 0
    }

    private(set) var entries: [UInt64: Entry] = [:]
    /// Whether the roster was ever told.
    var isKnown: Bool { epoch != 0 }
    /// The roster version that `entries` shows.
    private(set) var version: UInt64 = 0
    private var epoch: UInt64 = 0
    /// What came to listen to, and was not yet taken up: the ear of the reader, and that of the writer.
    var newEars: [(reader: CInt, writer: CInt)] = []
    /// Who is on the network and was never told to us: a keeper before knew them, and they are not back.
    private(set) var missing: Set<UInt64> = []
    /// Writers that have left, and of which a new keeper thinks that we may have something to read.
    var strangers: [UInt64] = []
    /// Whom the answers of a new epoch have named so far; nil where nothing is told again.
    private var named: Set<UInt64>?
    private var newsCount = 0
    let mtu: Int
    /// The inode of the marker's socket.
    private let network: UInt64

    init(mtu: Int, network: UInt64) {
        self.mtu = mtu
        self.network = network
    }

    /// The request for what we do not know yet.
    func request() -> ipn_request {
        var request = ipn_request(IPN_OP_PULL, value: version)
        request.epoch = epoch
        return request
    }

    /// Takes in one answer. - Returns: whether there is more to ask for.
    mutating func apply(_ answer: consuming KeeperLink.Answer) throws(Errno) -> Bool {
        var answer = answer
        let items = try answer.items(ipn_roster_item.self)
        if answer.head.epoch != epoch {
            // Everything again, in as many answers as it takes.
            named = []
            epoch = answer.head.epoch
        }
        if var all = named {
            named = nil
            all.formUnion(items.map(\.node_id))
            if answer.head.more == 0 {
                // Who was not named has gone.
                entries = entries.filter { all.contains($0.key) }
                missing.formIntersection(all)
            } else {
                named = all
            }
        }
        for item in items { try apply(item, &answer.descriptors) }
        version = answer.head.value
        return answer.head.more != 0
    }

    private mutating func apply(_ item: ipn_roster_item, _ descriptors: inout DescriptorList) throws(Errno) {
        let receives = item.flags & UInt32(IPN_MEMBER_RECEIVES) != 0
        let sends = item.flags & UInt32(IPN_MEMBER_SENDS) != 0
        newsCount += 1
        missing.remove(item.node_id)
        switch ipn_roster_event(rawValue: item.event) {
        case IPN_EVENT_JOIN:
            guard descriptors.count >= (item.flags & UInt32(IPN_MEMBER_IS_HEARD) != 0 ? 6 : 4), let region = descriptors.next(),
                let reader = descriptors.next(), let writer = descriptors.next(), let clapper = descriptors.next()
            else { throw Errno(rawValue: EPROTO) }
            let clapperDescriptor = clapper.adopted()
            let regionDescriptor = region.adopted()
            let isDatagram = item.flags & UInt32(IPN_MEMBER_RUNG_BY_DATAGRAM) != 0
            let readerBell = Bell(owning: reader.adopted(), isDatagram: isDatagram)
            let writerBell = Bell(owning: writer.adopted(), isDatagram: isDatagram)
            if item.flags & UInt32(IPN_MEMBER_IS_HEARD) != 0 {
                guard let readerEar = descriptors.next(), let writerEar = descriptors.next() else { throw Errno(rawValue: EPROTO) }
                newEars.append((readerEar.release(), writerEar.release()))
            }
            guard entries[item.node_id] == nil else { break }
            guard try SharedMemory.sealedSize(of: regionDescriptor) == NodeRegion.size else { throw Errno(rawValue: EPROTO) }
            let key = PeerCache.Key(network: network, nodeID: item.node_id)
            let peer: Peer
            let isKeeper = item.flags & UInt32(IPN_MEMBER_IS_KEEPER) != 0
            // The keeper is rung by what it gave to this node, which goes with the node.
            if !isKeeper, let known = PeerCache.peer(key) {
                peer = known
            } else {
                peer = Peer(
                    nodeID: item.node_id,
                    region: try Mapping(descriptor: regionDescriptor.raw, size: NodeRegion.size, writable: false),
                    readerBell: readerBell, writerBell: writerBell, clapper: clapperDescriptor, key: item.key)
                if !isKeeper { PeerCache.keep(peer, key) }
            }
            entries[item.node_id] = Entry(peer: peer, receives: receives, sends: sends, isKeeper: isKeeper, joined: newsCount)
        case IPN_EVENT_POOL:
            let handed = item.descriptors > 0 ? descriptors.next() : nil
            guard entries[item.node_id]?.cursor == nil, item.cursor < UInt32(IPN_CURSORS) else { break }
            entries[item.node_id]?.cursor = Int(item.cursor)
            entries[item.node_id]?.start = item.start
            entries[item.node_id]?.wasThere = item.flags & UInt32(IPN_MEMBER_WAS_THERE) != 0
            entries[item.node_id]?.began = newsCount
            // A pool that does not hold together is its writer's affair alone: we hear nothing of it.
            if let handed {
                let descriptor = handed.adopted()
                let pool = try? pool(descriptor, of: item.node_id)
                entries[item.node_id]?.pool = pool
            }
        case IPN_EVENT_KNOWN where entries[item.node_id] == nil:
            missing.insert(item.node_id)
        case IPN_EVENT_CHANGE, IPN_EVENT_KNOWN:
            entries[item.node_id]?.receives = receives
            entries[item.node_id]?.sends = sends
        case IPN_EVENT_DEPART:
            if entries[item.node_id] == nil { strangers.append(item.node_id) }
            entries[item.node_id]?.receives = false
            entries[item.node_id]?.sends = false
            entries[item.node_id]?.hasDeparted = true
        case IPN_EVENT_GONE:
            entries[item.node_id] = nil
        case IPN_EVENT_KEEPER:
            guard descriptors.count >= 2, let readerEar = descriptors.next(), let writerEar = descriptors.next() else {
                throw Errno(rawValue: EPROTO)
            }
            newEars.append((readerEar.release(), writerEar.release()))
        default:
            break
        }
    }

    private func pool(_ descriptor: borrowing Descriptor, of nodeID: UInt64) throws(Errno) -> PeerPool {
        let key = PeerCache.Key(network: network, nodeID: nodeID)
        if let known = PeerCache.pool(key) { return known }
        let made = try PeerPool.check(descriptor, mtu: mtu, nodeID: nodeID)
        PeerCache.keep(made, key)
        return made
    }

    /// A departed writer was drained: we need nothing of it any more.
    mutating func forget(_ nodeID: UInt64) {
        entries[nodeID] = nil
    }
}
