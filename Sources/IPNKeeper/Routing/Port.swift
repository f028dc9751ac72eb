import CIPN
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

/// A node's place on a routed network: the stream that comes from it, and the queue that leads to it.
final class Port {
    let number: Int
    let member: Member
    let node: ConnectedNode
    /// The queue's name in the roster.
    let queueID: UInt64
    /// What the keeper writes for this node alone: the queue's head, and how much news there is.
    let region: SharedMemory
    let regionHandle: Descriptor
    /// What the node rings the keeper by. One for each, as whoever holds it could shut it down.
    let bell: DatagramBell
    /// Header and queue cursor of the node's own region.
    let nodePages: Mapping
    /// Nil where the node does not receive.
    var queue: Queue?
    /// From its first send on.
    var source: WriterView?
    private var pool: PeerPool?
    /// It has left; what it sent before is still to be handled.
    var isLeaving = false
    /// News that it has not fetched, the oldest first, and how many there were.
    var news: [News] = []
    var newsCount: UInt64 = 0

    struct News {
        let number: UInt64
        let tag: CInt
        let bytes: [UInt8]
    }

    /// News that wait for a node that does not fetch them.
    static let newsLimit = 64

    init(_ member: Member, _ node: ConnectedNode, queueID: UInt64, options: ipn_options, capacity: Int) throws(Errno) {
        let region = try SharedMemory(name: "ipn-port", size: NodeRegion.size, sealedAgainstMapping: true)
        try region.commit(0..<Int(IPN_PAGE))
        NodeRegion.initialize(region.mapping.base, nodeID: queueID)
        let pages = try Mapping(descriptor: node.region.raw, size: 2 * Int(IPN_PAGE), writable: false)
        regionHandle = try region.readOnlyDescriptor()
        bell = try DatagramBell()
        if node.receives {
            queue = try Queue(
                nodeID: queueID, words: NodeRegion(base: region.mapping.base), recipient: node.nodeID,
                recipientWords: NodeRegion(base: pages.base), doorbell: node.readerDoorbell, options: options, capacity: capacity)
        }
        number = node.port
        self.member = member
        self.node = node
        self.queueID = queueID
        self.region = region
        nodePages = pages
    }

    var words: NodeRegion { NodeRegion(base: region.mapping.base) }
    private var nodeWords: NodeRegion { NodeRegion(base: nodePages.base) }

    /// Takes up what the node sends.
    /// - Parameters:
    ///   - cursor: the keeper's, for this writer.
    ///   - tally: where the keeper counts what it lost of all.
    func listen(to pool: PeerPool, cursor: Cursor, tally: SharedWord, mtu: Int) {
        WriterView.adopt(node.nodeID, at: 0, cursor: cursor)
        source = WriterView(
            nodeID: node.nodeID, region: nodeWords, pool: pool.view, cursor: cursor, tally: tally, doorbell: node.writerDoorbell,
            maximumLength: mtu)
        self.pool = pool
    }

    /// Messages of this node that it overwrote before the keeper could take them: lost to all.
    var lostOfIt: UInt64 { source?.cursor.lost.load() ?? 0 }

    /// Messages that it has still to receive, by its own word.
    var pending: UInt64 {
        guard node.receives else { return 0 }
        let cursor = nodeWords.cursor(Queue.cursor)
        let (head, tail) = (words.head.load(), cursor.generation.load() == queueID ? cursor.tail.load() : 0)
        return head >= tail ? head - tail : 0
    }

    /// Rings the node where it waits for room. The caller has fenced.
    func ringWaiting() {
        guard source != nil else { return }
        let waiting = nodeWords.waiting.load()
        if waiting & UInt64(IPN_ASLEEP) != 0 && waiting != source!.rungWait {
            source!.rungWait = waiting
            node.writerDoorbell.ring(waiting)
        }
    }

    /// Keeps news until the node fetches them; of too many the oldest go.
    func tell(_ bytes: [UInt8], tag: CInt) {
        newsCount += 1
        news.append(News(number: newsCount, tag: tag, bytes: bytes))
        if news.count > Port.newsLimit { news.removeFirst() }
        words.news.storeReleasing(newsCount)
        fullFence()
        node.ringReader()
        node.strike()
    }
}
