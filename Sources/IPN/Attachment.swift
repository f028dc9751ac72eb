import CIPN
import CLinux
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

/// The way from a path to the network's keeper: find it, or make the network.
///
///     path --open--> marker --device, inode--> rendezvous --connect--> keeper
///       |                                        |
///       `- nothing there: make marker, keeper    `- nobody there: dead? then its owner takes it over
struct Attachment: ~Copyable {
    var link: KeeperLink
    /// The network page, read-only.
    let page: Mapping
    /// Holding its description says that the network lives.
    let marker: Descriptor
    /// What the network has; of a network that is being made, only after the first bind.
    let options: ipn_options
    let status: FileStatus
    /// An `O_PATH` descriptor of the marker: it finds the file also after a rename.
    let file: Descriptor
    /// Where the keeper was met.
    let door: String
    /// What the handle stood for that was shown; nothing where it was the marker.
    let claim: Claim

    /// Where the marker is now.
    borrowing func path() throws(Errno) -> Path { try file.currentPath() }
    /// No bind has come before: its options are to make the network.
    var isBeingMade: Bool { options.mtu == 0 }

    /// Reaches the network at `path`.
    ///
    /// - Parameter creating: what to make the network with where there is none; nil to refuse then.
    static func open(_ path: Path, creating wanted: ipn_options?) throws(Errno) -> Attachment {
        // Some of what a node is made of cannot be refused any more once it is begun.
        try requireMemory(1 << 20)
        _ = try Watchman.ofProcess()
        let patience = clockNanoseconds() + 2_000_000_000
        var isKnown = false
        while true {
            let file: Descriptor
            do throws(Errno) {
                file = try Descriptor.open(path, flags: O_PATH)
            } catch {
                guard error == .noSuchFileOrDirectory, let wanted else { throw error }
                guard wanted.protocol != UInt32(IPN_ANY) else { throw Errno(rawValue: EPROTO) }
                if let made = try NetworkMaker.make(path, wanted) { return try made.greet() }
                // Somebody was faster; or the path is a link that leads nowhere, which bind(2) does not follow.
                guard clockNanoseconds() < patience, !isDanglingLink(path) else { throw error }
                continue
            }
            let status = try file.status()
            guard status.isSocket else { throw Errno.connectionRefused }
            let fileSystem = FileSystem(of: file)
            try fileSystem.requireOneKernel()
            do throws(Errno) {
                return try Introduction(Rendezvous.reach(status), file: try file.duplicate()).greet(binding: wanted != nil)
            } catch {
                switch error {
                case .noSuchFileOrDirectory, .connectionRefused, .brokenPipe, .connectionReset, .resourceBusy:
                    break  // no keeper, one that is leaving, or one that others of our user have left waiting
                default:
                    throw error
                }
            }
            switch MarkerState(of: file.raw) {
            case .foreign:
                throw Errno.connectionRefused
            case .dead:
                // It may have ended, and its file with it, since we opened it: then look again.
                guard let now = try? FileStatus(path: path), now.isSameFile(as: status) else { continue }
                guard let wanted, status.owner == geteuid() else { throw Errno.connectionRefused }
                guard wanted.protocol != UInt32(IPN_ANY) else { throw Errno(rawValue: EPROTO) }
                // Through an overlay what lives elsewhere seems dead. What was made here has left its keeper's door.
                if case .overlay = fileSystem, Rendezvous.doors(status).isEmpty { throw Errno.addressInUse }
                if let made = try NetworkMaker.takeOver(path, status, wanted) { return try made.greet() }
            case .alive, .unknown:
                // A network that is being made or is ending; or a keeper that was killed under its members.
                if !isKnown && Rendezvous.isOthers(status) { throw Errno.connectionRefused }
                isKnown = true
                guard clockNanoseconds() < patience else {
                    // Who may not look whether it lives, and would only join, is told as if it did not.
                    if case .unknown = MarkerState(of: file.raw), wanted == nil { throw Errno.connectionRefused }
                    throw Errno.addressInUse
                }
                pause(microseconds: 2000)
            }
        }
    }
}

private func isDanglingLink(_ path: Path) -> Bool {
    (try? FileStatus(path: path)) == nil && (try? FileStatus(path: path, followLinks: false)) != nil
}

/// A connection to a keeper that has not yet been shown anything.
struct Introduction: ~Copyable {
    var link: KeeperLink
    /// An `O_PATH` descriptor of the marker, or a member's handle.
    let file: Descriptor
    let door: String

    init(_ open: consuming OpenDoor, file: consuming Descriptor) {
        let door = open.path
        self.init(control: open.enter(), door: door, file: file)
    }

    /// - Parameter door: where others meet the keeper.
    init(control: consuming ControlSocket, door: String, file: consuming Descriptor) {
        link = KeeperLink(control)
        self.door = door
        self.file = file
    }

    /// Proves that we can reach the marker, or have what a member has, and takes what every member holds.
    /// - Parameter binding: it is to be bound, which needs a right of its own.
    consuming func greet(binding: Bool = false) throws(Errno) -> Attachment {
        let proof = file.raw
        var request = ipn_request(IPN_OP_HELLO)
        if binding { request.want = UInt32(IPN_WANT_MANAGE) }
        var answer = try link.introduce(request, descriptors: [proof])
        guard let page = answer.descriptors.next(), let marker = answer.descriptors.next(), let path = answer.descriptors.next()
        else { throw Errno(rawValue: EPROTO) }
        let pageDescriptor = page.adopted()
        let markerDescriptor = marker.adopted()
        let pathDescriptor = path.adopted()
        let status = try pathDescriptor.status()
        guard try SharedMemory.sealedSize(of: pageDescriptor) >= NetworkPage.size else { throw Errno(rawValue: EPROTO) }
        return Attachment(
            link: link, page: try Mapping(descriptor: pageDescriptor.raw, size: NetworkPage.size, writable: false),
            marker: markerDescriptor, options: answer.head.options, status: status, file: pathDescriptor, door: door, claim: Claim(answer.head))
    }
}
