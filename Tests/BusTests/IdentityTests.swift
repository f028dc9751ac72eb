import CLinux
import Glibc
import IPN
import IPNSystem
import Testing
import TestSupport

/// A network is its inode: names come and go.
@Suite struct IdentityTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    @Test func aLinkThatLeadsNowhereIsNoPlaceForANetwork() throws {
        try #require(symlink("nowhere", path) == 0)
        expect(throws: errno(ENOENT)) { try Node(binding: path) }
        expect(throws: errno(ENOENT)) { try Node(connecting: path) }
    }

    @Test func symbolicLinksLeadThere() throws {
        let node = try Node(binding: path)
        #expect(symlink(path, scratch("link")) == 0)
        let other = try Node(connecting: scratch("link"))
        try other.send("by link")
        #expect(try #require(try node.receive()).bytes == Array("by link".utf8))
        let third = Node()
        try third.bind(scratch("link"))
        #expect(!third.madeNetwork)
    }

    @Test func aRenameKeepsTheNetwork() throws {
        var node: Node? = try Node(binding: path)
        let keeper = try KeeperProcess(of: path)
        #expect(rename(path, scratch("new")) == 0)
        expect(throws: errno(ENOENT)) { try Node(connecting: path) }
        try Node(connecting: scratch("new")).send("hello")
        #expect(try #require(try node?.receive()).bytes == Array("hello".utf8))
        node = nil
        try keeper.waitUntilGone()
        #expect(scratch.contents.isEmpty, "removed where it is now")
    }

    @Test func aHardLinkIsTheSameNetwork() throws {
        let node = try Node(binding: path)
        try #require(link(path, scratch("hard")) == 0)
        try Node(connecting: scratch("hard")).send("same")
        #expect(try #require(try node.receive()).bytes == Array("same".utf8))
    }

    @Test func anUnlinkedNetworkGoesOnBesideASecondOne() throws {
        var first: Node? = try Node(binding: path)
        let inside = try Node(connecting: path)
        let firstKeeper = try KeeperProcess(of: path)
        #expect(unlink(path) == 0)
        let second = try Node(binding: path)
        #expect(second.madeNetwork && second.port == 0)
        try first?.send("first")
        try second.send("second")
        #expect(try inside.drain().map(\.bytes) == [Array("first".utf8)])
        inside.close()
        first = nil
        try firstKeeper.waitUntilGone()
        #expect(exists(path), "the second one's file is not the first one's to remove")
        let late = try Node(connecting: path)
        try second.send("here")
        #expect(try late.drain().count == 1)
    }

    // MARK: What others may do to the folder, and to the file

    /// Who takes a dead network over replaces its file, and no other that somebody has come to lead there.
    @Test func aFolderThatIsExchangedLeadsNobodyElsewhere() throws {
        let (folder, other) = (scratch("folder"), scratch("private"))
        try #require(mkdir(folder, 0o755) == 0 && mkdir(other, 0o700) == 0)
        for name in ["net", "other"] {
            let file = open("\(other)/\(name)", O_CREAT | O_WRONLY, 0o600)
            try #require(write(file, "a secret", 8) == 8 && close(file) == 0)
        }
        let network = "\(folder)/net"
        let plan = try DeathPlan(in: scratch)
        do {
            let dying = try Peer()
            try dying.expect("bind \(network)")
            let keeper = try KeeperProcess(of: network)
            dying.child.stop()
            try keeper.kill()
            dying.kill()
        }
        for (step, path) in [("take over: marker bound, not renamed", network), ("make: marker bound, no keeper", "\(folder)/other")] {
            let heir = try Peer(environment: [plan.environment])
            try plan.set(SIGSTOP, at: step)
            let victim = try Peer(environment: [plan.environment])
            try victim.tell("bind \(path)")
            try eventually("it stops") { plan.hasHit(victim.child.pid) }
            try plan.clear()
            try #require(rename(folder, scratch("moved")) == 0 && symlink(other, folder) == 0)
            victim.child.resume()
            #expect(try victim.answer().hasPrefix("ok"))
            for name in ["net", "other"] {
                var status = stat()
                #expect(lstat("\(other)/\(name)", &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_size == 8)
            }
            try #require(unlink(folder) == 0 && rename(scratch("moved"), folder) == 0)
            try heir.expect("connect \(path)")
            for peer in [heir, victim] { try peer.expect("close") }
        }
    }

    /// What waits in a marker would hold up whoever closes it last.
    @Test func aMarkerTakesNothing() throws {
        let node = try Node(binding: path)
        let stranger = Descriptor(owning: socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
        #expect(try withSocketAddress(path) { address, length in linux_connect(stranger.raw, address, length) } == 0)
        #expect(send(stranger.raw, "x", 1, CInt(MSG_NOSIGNAL)) == -1 && errno == EPIPE)
        node.close()
    }
}
