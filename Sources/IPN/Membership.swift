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
    /// The keeper is gone: what is known of the network stays as it is.
    private var isOrphaned = false
    private var readerEars: Ears?
    private var writerEars: Ears?
    /// What a program polls.
    private var poller: Poller?

    init(path: String, attachment: consuming Attachment, options: ipn_options) {
        self.path = path
        self.options = options
        page = NetworkPage(base: attachment.page.base)
        table = PeerTable(mtu: Int(options.mtu))
        pageMapping = attachment.page
        marker = attachment.marker
        link = attachment.link
    }

    /// Asks the keeper something, and waits for the answer.
    func call(_ request: ipn_request, descriptors: [CInt] = []) throws(Errno) -> ipn_answer {
        lock.lock()
        defer { lock.unlock() }
        try finishPosted()
        return try link.call(request, descriptors: descriptors).head
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
        // Hung up for good: pollers would find no rest.
        poller?.remove(link.rawDescriptor)
    }

    /// Listens to users who were not there before.
    private func takeUpEars() throws(Errno) {
        guard !table.newEars.isEmpty else { return }
        let new = table.newEars
        table.newEars = []
        if readerEars == nil {
            readerEars = try Ears()
            writerEars = try Ears()
            if let ears = readerEars?.raw { try poller?.add(ears, token: 2) }
        }
        for ear in new {
            try readerEars?.add(Descriptor(owning: ear.reader))
            try writerEars?.add(Descriptor(owning: ear.writer))
        }
    }

    /// What wakes a receiver beside its own bell: other users. -1 for none.
    ///
    /// Not the keeper: on a broadcast network its end changes nothing for who waits for a message, and a second
    /// descriptor would cost every wake-up a microsecond. Programs that poll are told.
    var receiverEars: CInt {
        lock.lock()
        defer { lock.unlock() }
        return readerEars?.raw ?? -1
    }

    /// What wakes a sender that waits for room, beside its own bell.
    var senderWakers: (keeper: CInt, ears: CInt) {
        lock.lock()
        defer { lock.unlock() }
        return (isOrphaned ? -1 : link.rawDescriptor, writerEars?.raw ?? -1)
    }

    /// A descriptor that is readable whenever a receiver would be woken.
    func pollDescriptor(bell: CInt) throws(Errno) -> CInt {
        lock.lock()
        defer { lock.unlock() }
        if let raw = poller?.descriptor.raw { return raw }
        let made = try Poller()
        try made.add(bell, token: 0)
        if !isOrphaned { try made.add(link.rawDescriptor, token: 1) }
        if let ears = readerEars?.raw { try made.add(ears, token: 2) }
        let raw = made.descriptor.raw
        poller = consume made
        return raw
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

    /// Takes in an answer that a writer has asked for and not come back for: unread, it would keep the descriptor that
    /// programs poll readable for as long as nothing more is sent.
    func takeLateAnswer() {
        guard lock.tryLock() else { return }
        defer { lock.unlock() }
        guard !isOrphaned, link.isAwaitingAnswer else { return }
        do throws(Errno) {
            _ = try table.apply(try link.takePosted(waiting: false))
            try takeUpEars()
        } catch {
            if error != .resourceTemporarilyUnavailable { becomeOrphan() }
        }
    }

    /// Notices that the keeper is gone. Whoever slept calls it when woken for nothing.
    func listen() {
        lock.lock()
        defer { lock.unlock() }
        if !isOrphaned && !link.isAwaitingAnswer && link.isHungUp { becomeOrphan() }
    }
}
