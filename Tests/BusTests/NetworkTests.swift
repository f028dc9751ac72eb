import Glibc
import IPN
import Testing
import TestSupport

/// A network by its file: what can be done with it without taking part.
@Suite struct NetworkTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    @Test func itIsThereBeforeAnybodyAndAfterEverybody() throws {
        let network = try Network.create(at: path, options: .with { $0.mtu = 99 })
        #expect(network == Network(at: path))
        expect(throws: errno(EEXIST)) { try Network.create(at: path) }
        let keeper = try KeeperProcess(of: path)
        for _ in 0..<2 {
            let (sender, receiver) = (try network.node(directions: .send), try network.node())
            try sender.send("hello")
            #expect(try receiver.receive()?.text == "hello")
            let status = try network.status()
            #expect(status.readers == 1 && status.writers == 2 && status.options.mtu == 99 && status.options.isPersistent)
        }
        #expect(try network.status().nodes.isEmpty && keeper.isRunning)
        #expect(try network.remove() == 0)
        #expect(!exists(path))
        for _ in 0..<2 { expect(throws: errno(ENOENT)) { try network.remove() } }
        expect(throws: errno(ENOENT)) { try network.status() }
        expect(throws: errno(ENOENT)) { try network.node() }
    }

    @Test func itEndsWithTheLastOfThoseWhoAreOnIt() throws {
        let network = try Network.create(at: path)
        let keeper = try KeeperProcess(of: path)
        let nodes = [try network.node(), try network.node()]
        #expect(try network.remove() == 2)
        nodes[0].close()
        #expect(try network.status().nodes.count == 1 && keeper.isRunning)
        nodes[1].close()
        try keeper.waitUntilGone()
        #expect(!exists(path))
    }

    @Test func whatACrashHasLeftIsRemovedToo() throws {
        let network = try Network.create(at: path)
        try KeeperProcess(of: path).kill()
        expect(throws: errno(ECONNREFUSED)) { try network.status() }
        #expect(try network.remove() == 0)
        try eventually("its file is gone") { !exists(path) }
        // Another kind of file is nobody's network.
        try #require(mkfifo(path, 0o600) == 0)
        expect(throws: errno(ECONNREFUSED)) { try network.remove() }
        #expect(exists(path))
    }

    @Test func thoseOfAUserAreFound() throws {
        let networks = try ["b", "a"].map { try Network.create(at: scratch($0)) }
        let found = Network.ofThisUser().filter { $0.path.hasPrefix(scratch.path) }
        #expect(found == networks.reversed())
        for network in networks { try network.remove() }
        #expect(!Network.ofThisUser().contains { $0.path.hasPrefix(scratch.path) })
    }
}
