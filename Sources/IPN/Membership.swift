import CIPN
import CLinux
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

/// A node's tie to its network: the keeper's ear, the network page, and who else is there.
///
/// Control plane: everything here may block. The sending and the receiving thread share it under its lock.
final class Membership: @unchecked Sendable {
    // Sendable: all that changes is touched with `lock` held.
    let path: String
    let page: NetworkPage
    let options: ipn_options
    private let pageMapping: Mapping
    /// Nobody takes the file over as long as anybody holds this.
    private let marker: Descriptor
    private let lock = Lock()
    private var link: KeeperLink
    private var table: PeerTable
    /// Messages go through the keeper, and end with it.
    let isRouted: Bool
    /// The keeper is gone: what is known of the network stays as it is.
    private var isOrphaned = false
    private var readerEars: Ears?
    private var writerEars: Ears?
    /// Where others meet the keeper: what a handle's name tells.
    let rendezvous: String
    /// What wakes this node. Set once, when it connects.
    private var wakers: NodeWakers?
    private let watchman: Watchman
    private var watchToken: UInt64 = 0

    init(path: String, attachment: consuming Attachment, options: ipn_options) throws(Errno) {
        watchman = try Watchman.ofProcess()
        rendezvous = try Rendezvous(marker: attachment.status).path
        self.path = path
        self.options = options
        isRouted = options.isRouted
        page = NetworkPage(base: attachment.page.base)
        table = PeerTable(mtu: Int(options.mtu), network: try attachment.marker.status().inode)
        pageMapping = attachment.page
        marker = attachment.marker
        link = attachment.link
        watchToken = try watchman.watch(link.rawDescriptor, for: self)
    }

    deinit {
        watchman.forget(watchToken, link.rawDescriptor)
    }

    /// Says what is to be woken at the end of the keeper.
    func attend(_ wakers: NodeWakers) {
        lock.lock()
        defer { lock.unlock() }
        self.wakers = wakers
        if isOrphaned && isRouted { wakers.endNetwork() } else if isOrphaned { wakers.wakeAll() }
    }

    /// Asks the keeper something, and waits for the answer.
    func call(_ request: ipn_request, descriptors: [CInt] = []) throws(Errno) -> ipn_answer {
        lock.lock()
        defer { lock.unlock() }
        try finishPosted()
        return try link.call(request, descriptors: descriptors).head
    }

    /// Asks something that is longer than a request, or whose answer is. For what a policy understands.
    func exchange<Item>(_ request: ipn_request, payload: [UInt8] = [], _ type: Item.Type) throws(Errno) -> (head: ipn_answer, items: [Item]) {
        lock.lock()
        defer { lock.unlock() }
        try finishPosted()
        let answer = try link.call(request, payload: payload)
        return (answer.head, try answer.items(Item.self))
    }

    /// Asks for records until there are no more, each time from the value of the last answer on.
    func list<Item>(_ operation: ipn_operation, _ type: Item.Type) throws(Errno) -> [Item] {
        lock.lock()
        defer { lock.unlock() }
        try finishPosted()
        var items: [Item] = []
        var request = ipn_request(operation)
        while true {
            let answer = try link.call(request)
            items += try answer.items(Item.self)
            guard answer.head.more != 0 else { return items }
            request.value = answer.head.value
        }
    }

    private func finishPosted() throws(Errno) {
        guard link.isAwaitingAnswer else { return }
        let answer = try link.takePosted(waiting: true)
        _ = try table.apply(answer)
        try takeUpEars()
    }

    /// Without a keeper nodes go on over the memory that they share.
    private func becomeOrphan() {
        isOrphaned = true
        if isRouted { wakers?.endNetwork() } else { wakers?.wakeAll() }
    }

    /// The watchman has seen the other end close.
    func keeperHungUp() {
        lock.lock()
        defer { lock.unlock() }
        if !isOrphaned { becomeOrphan() }
    }

    /// Listens to users who were not there before.
    private func takeUpEars() throws(Errno) {
        guard !table.newEars.isEmpty else { return }
        let new = table.newEars
        table.newEars = []
        if readerEars == nil {
            readerEars = try Ears()
            writerEars = try Ears()
        }
        for ear in new {
            try readerEars?.add(Descriptor(owning: ear.reader))
            try writerEars?.add(Descriptor(owning: ear.writer))
        }
    }

    /// What wakes a receiver beside its own bell: other users. -1 for none.
    var receiverEars: CInt {
        lock.lock()
        defer { lock.unlock() }
        return readerEars?.raw ?? -1
    }

    /// What wakes a sender that waits for room, beside its own bell.
    var senderEars: CInt {
        lock.lock()
        defer { lock.unlock() }
        return writerEars?.raw ?? -1
    }

    /// How long to wait for the keeper.
    enum Patience {
        case none
        /// Some milliseconds: as long as a keeper may be kept from its processor by others.
        case moment
        case untilAnswered
    }

    /// Brings the table up to the roster's version.
    ///
    /// - Returns: false where the answer is not there yet.
    func refresh(_ patience: Patience) -> Bool {
        if patience == .untilAnswered {
            lock.lock()
        } else if !lock.tryLock() {
            return false
        }
        defer { lock.unlock() }
        while !isOrphaned {
            do throws(Errno) {
                if !link.isAwaitingAnswer { try link.post(table.request()) }
                if patience == .moment { _ = try? waitReadable(link.rawDescriptor, milliseconds: 5) }
                let answer = try link.takePosted(waiting: patience == .untilAnswered)
                let more = try table.apply(answer)
                try takeUpEars()
                if !more && table.version >= page.rosterVersion.loadAcquiring() { return true }
            } catch {
                if error == .resourceTemporarilyUnavailable { return false }
                becomeOrphan()
            }
        }
        return true
    }

    /// The table as it is now.
    func snapshot() -> (version: UInt64, entries: [UInt64: PeerTable.Entry]) {
        lock.lock()
        defer { lock.unlock() }
        // Nobody will tell more than is known when the keeper is gone.
        return (isOrphaned ? page.rosterVersion.load() : table.version, table.entries)
    }

    /// Leaves: afterwards the port is free and nobody counts us, without waiting for the keeper to see a closed socket.
    /// A keeper that does not answer in a second is left without a word.
    func leave() {
        lock.lock()
        defer { lock.unlock() }
        guard !isOrphaned else { return }
        link.limitWaiting(seconds: 1)
        guard (try? finishPosted()) != nil else { return }
        _ = try? link.call(ipn_request(IPN_OP_LEAVE))
    }

    /// Tells the keeper that nothing is left to read of a writer that has departed.
    func settle(_ nodeID: UInt64) {
        lock.lock()
        defer { lock.unlock() }
        table.forget(nodeID)
        guard !isOrphaned, (try? finishPosted()) != nil else { return }
        _ = try? link.call(ipn_request(IPN_OP_DRAINED, value: nodeID))
    }

    var isKeeperGone: Bool {
        lock.lock()
        defer { lock.unlock() }
        return isOrphaned
    }
}
