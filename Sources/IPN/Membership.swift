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
    let path: Path
    let page: NetworkPage
    let options: ipn_options
    let pageMapping: Mapping
    /// Nobody takes the file over as long as anybody holds this.
    let marker: Descriptor
    /// An `O_PATH` descriptor of its file.
    let file: Descriptor
    let lock = Lock()
    var link: KeeperLink
    var table: PeerTable
    /// Messages go through the keeper, and end with it.
    let isRouted: Bool
    var tie = Tie.kept
    /// A new keeper was told what we have, and has not answered.
    var isComingBack = false
    /// A door that is not our keeper's and where nobody answers: when it was made, and when we first saw it.
    var strangeDoor: (made: UInt64, seen: UInt64)?
    /// When the keeper took us in.
    var keptTime = clockNanoseconds()
    /// When the keeper was lost; or a later one that we have not met.
    var lostTime: UInt64 = 0
    /// What we have on the network, for a keeper that does not know us.
    var standing = Standing()
    var readerEars: Ears?
    var writerEars: Ears?
    /// Where others meet the keeper: what a handle's name tells.
    let rendezvous: String
    /// The folder that the doors' folders are in, as it was then.
    let runtimeRoot = RuntimeFolder.rootStatus
    /// Why the roster that is due could not be taken: this process has no descriptor left for who has come.
    var shortage: Errno?
    /// What wakes this node. Set once, when it connects.
    var wakers: NodeWakers?
    let watchman: Watchman
    private(set) var watchToken: UInt64 = 0

    /// - Parameter isBound: it holds the network, connected or not.
    init(path: Path, attachment: consuming Attachment, options: ipn_options, isBound: Bool = false) throws(Errno) {
        watchman = try Watchman.ofProcess()
        rendezvous = attachment.door
        self.path = path
        self.options = options
        isRouted = options.isRouted
        page = NetworkPage(base: attachment.page.base)
        table = PeerTable(mtu: Int(options.mtu), network: try attachment.marker.status().inode)
        pageMapping = attachment.page
        marker = attachment.marker
        file = attachment.file
        link = attachment.link
        if isBound { standing.bind() }
        watchToken = try watchman.watch(link.rawDescriptor, for: self)
    }

    deinit {
        watchman.forget(watchToken, link.rawDescriptor)
    }

    /// Says what a node has, and what is to be woken at the end of the network.
    /// - Parameter region: of one that connects.
    func attend(_ wakers: NodeWakers, _ region: OwnRegion? = nil) {
        lock.lock()
        defer { lock.unlock() }
        self.wakers = wakers
        if let region { standing.region = region }
        if tie == .severed { tellEnd() }
    }

    /// Asks the keeper something, and waits for the answer; where it is gone, for another's.
    /// - Throws: what was answered; `EPIPE` where there is no keeper and nobody makes one.
    func call(_ request: ipn_request, descriptors: [CInt] = []) throws(Errno) -> ipn_answer {
        lock.lock()
        defer { lock.unlock() }
        while true {
            try awaitKeeper()
            do throws(Errno) {
                try finishPosted()
                let answer = try link.call(request, descriptors: descriptors).head
                standing.note(request, answer)
                return answer
            } catch {
                try lose(error)
            }
        }
    }

    /// Notes the descriptor of the node's slot pool; -1 where it has none.
    func note(pool: CInt) {
        lock.lock()
        defer { lock.unlock() }
        standing.pool = pool
    }

    /// Asks to be connected. A new keeper lets newcomers in when those are back who were there before.
    func connect(_ request: ipn_request, _ descriptors: [CInt]) throws(Errno) -> ipn_answer {
        while true {
            do throws(Errno) {
                return try call(request, descriptors: descriptors)
            } catch {
                guard error == .resourceTemporarilyUnavailable else { throw error }
                pause(microseconds: 1000)
            }
        }
    }

    /// Asks something that is longer than a request, or whose answer is. For what a policy understands.
    func exchange<Item>(_ request: ipn_request, payload: [UInt8] = [], _ type: Item.Type) throws(Errno) -> (head: ipn_answer, items: [Item]) {
        lock.lock()
        defer { lock.unlock() }
        try awaitKeeper()
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

    func finishPosted() throws(Errno) {
        guard link.isAwaitingAnswer else { return }
        let answer = try link.takePosted(waiting: true)
        _ = try table.apply(answer)
        try takeUpEars()
        try disclaim()
    }

    /// Leaves: afterwards the port is free and nobody counts us, without waiting for the keeper to see a closed socket.
    /// A keeper that does not answer in a second is left without a word.
    func leave() {
        lock.lock()
        defer { lock.unlock() }
        defer {
            tie = .severed
            standing = Standing()
        }
        while (try? awaitKeeper()) != nil {
            link.limitWaiting(milliseconds: 1000)
            do throws(Errno) {
                try finishPosted()
                step("leave: about to ask")
                _ = try link.call(ipn_request(IPN_OP_LEAVE))
                step("leave: left")
                return
            } catch {
                guard (try? lose(error)) != nil else { return }
            }
        }
    }

    /// Whether the network is gone for us.
    var isSevered: Bool {
        lock.lock()
        defer { lock.unlock() }
        return tie == .severed
    }
}
