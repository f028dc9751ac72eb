import CIPN
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

/// The data path of a routed network: it is the one reader of every node's pool, has a policy judge a copy of each
/// message, and writes the queues that lead to the recipients.
///
///     node's pool --take, copy--> policy --sendmsg--> queue of each recipient --> node
///                                    `--injectmsg--> handled next, one hop deeper
///
/// One thread does all of it, so there is one order of messages for everybody.
final class Router {
    let policy: Policy
    let network: UnsafeMutablePointer<ipn_policy_network>
    /// The keeper's name as a reader, in the roster.
    let readerID: UInt64
    /// The keeper's words and cursors as a reader.
    let region: SharedMemory
    let regionHandle: Descriptor
    let page: NetworkPage
    let isLossless: Bool
    let mtu: Int
    let poolSize: Int
    /// Messages under way beyond which nothing more is taken (LOSSLESS): the pool, and what writers may overshoot by.
    let capacity: Int

    /// By number; also those that are leaving.
    private(set) var ports: [Int: Port] = [:]
    /// Those that send, in turn.
    private var sources: [Port] = []
    private var finished: [Port] = []
    private var sleeps: UInt64 = 0
    /// What is handled when it came from a node: one at a time, so one buffer is enough.
    private let current: RoutedMessage

    // What the policy has left to do, and what it holds: see Router+Host.
    var injected: [RoutedMessage] = []
    var allocated: [UnsafeRawPointer: RoutedMessage] = [:]
    var spare: [RoutedMessage] = []
    /// Hops of what is handled; nil while nothing is.
    var depth: CUnsignedInt?
    /// Messages dropped for their hops, or because too many waited.
    var dropped: UInt64 = 0
    var account = PendingAccount()

    /// Messages handled between two looks at the control sockets.
    private static let budget = 256

    init(policy: Policy, options: ipn_options, page: NetworkPage, readerID: UInt64) throws(Errno) {
        self.policy = policy
        self.page = page
        self.readerID = readerID
        isLossless = options.flags & UInt32(IPN_FLAG_LOSSLESS) != 0
        mtu = Int(options.mtu)
        poolSize = Int(options.pool_size)
        capacity = poolSize + min(Int(options.node_limit), 256)
        guard let current = RoutedMessage(room: mtu) else { throw Errno.noMemory }
        self.current = current
        region = try SharedMemory(name: "ipn-router", size: NodeRegion.size, sealedAgainstMapping: true)
        try region.commit(0..<Int(IPN_PAGE))
        NodeRegion.initialize(region.mapping.base, nodeID: readerID)
        regionHandle = try region.readOnlyDescriptor()
        network = .allocate(capacity: 1)
        network.initialize(to: ipn_policy_network())
        network.pointee.version = UInt32(IPN_POLICY_VERSION)
        network.pointee.size = UInt32(MemoryLayout<ipn_policy_network>.size)
        network.pointee.protocol = options.protocol
        network.pointee.mtu = options.mtu
        network.pointee.node_limit = options.node_limit
        network.pointee.pool_size = options.pool_size
        network.pointee.flags = options.flags
        network.pointee.host = PolicyHost.table
        network.pointee.keeper = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit {
        network.deallocate()
    }

    private var words: NodeRegion { NodeRegion(base: region.mapping.base) }

    // MARK: Calls into the policy

    /// Calls the policy, and does afterwards what it left to be done.
    @discardableResult
    func enter<Result>(_ body: (UnsafeMutablePointer<ipn_policy_network>) -> Result) -> Result {
        let result = body(network)
        endRound()
        while !injected.isEmpty {
            let message = injected.removeFirst()
            depth = message.depth
            _ = policy.handlemsg(network, message.port, message.record)
            depth = nil
            recycle(message)
            endRound()
        }
        return result
    }

    private func endRound() {
        guard isLossless else { return }
        account.endRound()
        page.pending.storeReleasing(UInt64(account.pending))
    }

    /// Changes how many ports there may be, unless the policy objects.
    func resize(to limit: UInt32) throws(Errno) {
        let result = enter { policy.table.resizenet?($0, $0.pointee.node_limit, limit) ?? 0 }
        guard result >= 0 else { throw Errno(ofPolicy: result) }
        network.pointee.node_limit = limit
    }

    // MARK: Ports

    func add(_ port: Port) { ports[port.number] = port }

    func port(of node: ConnectedNode) -> Port? {
        guard let port = ports[node.port], port.node === node else { return nil }
        return port
    }

    /// Begins to take what a node sends.
    func listen(to node: ConnectedNode, pool: borrowing Descriptor, cursor: Int) throws(Errno) {
        guard let port = port(of: node) else { throw Errno.invalidArgument }
        let checked = try PeerPool.check(pool, mtu: mtu, nodeID: node.nodeID)
        try region.commit(NodeRegion.cursorRange(cursor))
        port.listen(to: checked, cursor: words.cursor(cursor), tally: words.lost, mtu: mtu)
        sources.append(port)
    }

    /// Nobody reads a port's queue any more.
    func closeQueue(of port: Port) {
        if isLossless { port.queue?.abandon { account.settle($0) } }
        port.queue = nil
    }

    /// Takes a port off; what its node sent before is handled first.
    func leave(_ port: Port) {
        enter { policy.table.predelport?($0, CInt(port.number)) }
        closeQueue(of: port)
        port.isLeaving = true
        // As a rule there is room, and it is gone at once.
        while !isFull, takeOne(port) {}
        finishLeavers(force: port.source == nil ? port : nil)
    }

    /// Ports that are gone since the last call.
    func takeFinished() -> [Port] {
        defer { finished = [] }
        return finished
    }

    private func finishLeavers(force silent: Port? = nil) {
        var gone = silent.map { [$0] } ?? []
        gone += sources.filter { $0.isLeaving && $0.source!.pending() == 0 }
        guard !gone.isEmpty else { return }
        sources.removeAll { port in gone.contains { $0 === port } }
        for port in gone {
            ports[port.number] = nil
            enter { policy.table.delport?($0, CInt(port.number)) }
            finished.append(port)
        }
    }

    // MARK: Messages

    private var isFull: Bool { isLossless && account.pending >= capacity }

    /// Handles what has come, up to a budget, and then says that the keeper sleeps.
    /// - Returns: whether it may sleep; a node that has something rings.
    func work() -> Bool {
        words.armed.store(sleeps)
        var left = Router.budget
        var progress = true
        while progress && left > 0 {
            progress = false
            if isFull { settle() }
            for port in sources where !isFull {
                guard takeOne(port) else { continue }
                progress = true
                left -= 1
            }
        }
        finishLeavers()
        if isLossless {
            settle()
            // FENCE room: tails and `pending` before the look at `waiting`; pairs with FENCE wait in Outbox.waitForRoom.
            fullFence()
            for port in sources { port.ringWaiting() }
        }
        return left > 0 && arm()
    }

    private func takeOne(_ port: Port) -> Bool {
        guard let delivery = port.source?.take(overwrites: !isLossless) else { return false }
        current.fill(delivery.bytes, length: delivery.length, tag: delivery.tag)
        depth = 0
        enter { policy.handlemsg($0, CInt(port.number), current.record) }
        depth = nil
        // Behind the count of what is under way: a writer that sees this tail counts the message there.
        port.source!.advance(past: delivery, keepPin: false, overwrites: !isLossless)
        return true
    }

    private func settle() {
        for port in ports.values { port.queue?.settle { account.settle($0) } }
        page.pending.storeReleasing(UInt64(account.pending))
    }

    /// - Returns: false where there is something to do instead.
    private func arm() -> Bool {
        let before = account.pending
        // Writers wait only while the pool is full; then whoever reads must tell us.
        let isWaiting = isLossless && account.pending >= poolSize
        if isWaiting { for port in ports.values where port.queue?.isEmpty == false { port.queue?.startWaiting() } }
        sleeps &+= UInt64(IPN_SLEEP_STEP)
        words.armed.store(sleeps | UInt64(IPN_ASLEEP))
        // FENCE arm and FENCE wait: we have said that we sleep, before the second look; they pair with FENCE publish in
        // a node's PoolWriter.publish, and with FENCE room in its Inbox.advance.
        fullFence()
        if isWaiting { settle() }
        if account.pending == before, isFull || !sources.contains(where: { $0.source!.pending() > 0 }) { return true }
        words.armed.store(sleeps)
        return false
    }
}
