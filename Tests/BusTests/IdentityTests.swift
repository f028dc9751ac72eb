import Glibc
import IPN
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
}
