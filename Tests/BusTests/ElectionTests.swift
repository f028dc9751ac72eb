import CLinux
import Glibc
import IPN
import Testing
import SystemPackage
import TestSupport

/// A keeper is killed: its members go on, one of them makes another keeper, and all come back to it with what they have.
@Suite struct ElectionTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    /// Kills the keeper, and waits until another has taken its place.
    @discardableResult
    private func killKeeper() throws -> KeeperProcess {
        let old = try KeeperProcess(of: path)
        try old.kill()
        var found: KeeperProcess?
        try eventually("another keeper") {
            found = try? KeeperProcess(of: path)
            return found != nil
        }
        let new = try #require(found)
        #expect(new.pid != old.pid)
        return new
    }

    @Test func whatWasPendingIsReadAndNewcomersJoin() throws {
        let writer = try Node(binding: path, options: .with { $0.isLossless = true })
        let reader = try Peer()
        try reader.expect("connect \(path) r")
        for index in 0..<5 { try writer.send("before \(index)") }
        try killKeeper()
        let late = try Node(connecting: path, directions: .receive)
        #expect(late.port == 2, "the others have theirs still")
        try writer.send("after")
        for index in 0..<5 { #expect(try reader.expect("receive") == "\(index) 0 before \(index)") }
        #expect(try reader.expect("receive") == "5 0 after")
        #expect(try #require(try late.receive()).sequence == 5)
        #expect(try late.drain().isEmpty)
        #expect(!writer.isNetworkGone)
    }

    /// Who is connected is a recipient of whatever is sent from then on, also where the writer had not heard of it yet when
    /// the keeper died: the writer waits until it is back.
    @Test func aNewcomerOfTheLastMomentMissesNothing() throws {
        let manager = try Node(binding: path, options: .with { $0.isLossless = true }, directions: .receive)
        let (writer, newcomer) = (try Peer(), try Peer())
        try writer.expect("connect \(path) w")
        try writer.expect("send before")
        #expect(try #require(try manager.receive()).bytes == Array("before".utf8))
        try newcomer.expect("connect \(path) r")
        // Once it is stopped, so that it has not begun to elect.
        newcomer.child.stop()
        try killKeeper()
        try writer.tell("send after")
        #expect(try manager.receive(timeout: .milliseconds(20)) == nil)
        newcomer.child.resume()
        #expect(try writer.answer() == "ok")
        #expect(try newcomer.expect("receive") == "1 0 after")
        #expect(try #require(try manager.receive()).bytes == Array("after".utf8))
    }

    /// On a LOSSY network nobody waits for it: what is sent before it is back goes as from any slow receiver, and is counted.
    @Test(arguments: [1, 8, 31, 32, 33, 200], [false, true]) func whatANewcomerOfTheLastMomentMissesIsCounted(count: Int, isReadByOthers: Bool) throws
    {
        let manager = try Node(binding: path, directions: .receive)
        let (writer, newcomer) = (try Peer(), try Peer())
        try writer.expect("connect \(path) w")
        try writer.expect("send before")
        #expect(try #require(try manager.receive()).bytes == Array("before".utf8))
        try newcomer.expect("connect \(path) r")
        newcomer.child.stop()
        try killKeeper()
        for index in 1...count {
            try writer.expect("send \(index)")
            // Then the writer knows of nobody who wants it, and takes back what it has sent, 32 messages at a time.
            if isReadByOthers { #expect(try manager.receive()?.text == "\(index)") }
        }
        newcomer.child.resume()
        try eventually("it is back") { try NetworkStatus(of: path).nodes.count == 3 }
        try writer.expect("send last")
        var (received, lost, answer) = (0, 0, "")
        repeat {
            answer = try newcomer.expect("receive")
            let words = answer.split(separator: " ")
            received += 1
            lost += Int(words[1])!
            #expect(Int(words[0])! == received + lost, "from the first on that was sent after it came")
        } while !answer.hasSuffix(" last")
        #expect(received + lost == count + 1)
        #expect(received == min(count + 1, 8), "the newest, as any slow receiver gets them")
    }

    @Test func everythingIsAsItWas() throws {
        let (manager, other) = (Node(), try Peer())
        try manager.bind(
            path,
            options: .with {
                $0.nodeLimit = 5; $0.history = 3; $0.mtu = 777; $0.poolSize = 6
            })
        try manager.setNodeLimit(9)
        try manager.connect(port: 4)
        try manager.setDescription("the manager")
        try other.expect("oob on")
        try other.expect("connect \(path) r port=7")
        try other.expect("describe the other")
        let before = try NetworkStatus(of: path)
        for _ in 0..<3 {
            try killKeeper()
            try eventually("all are back") { try NetworkStatus(of: path).nodes.count == 2 }
            let now = try NetworkStatus(of: path)
            #expect(now.options == before.options && now.options.nodeLimit == 9)
            #expect(now.nodes.map(\.port) == [4, 7])
            #expect(now.nodes.map(\.description) == ["the manager", "the other"])
            #expect(now.nodes.map(\.receives) == [true, true] && now.nodes.map(\.sends) == [true, false])
        }
        // Nothing has changed for who wants to be told; what changes is told.
        #expect(try other.expect("receive 0") == "nodes 2 1")
        #expect(try other.expect("receive 0") == "none")
        let third = try Node(connecting: path)
        #expect(try other.expect("receive") == "nodes 3 2")
        third.close()
        #expect(try other.expect("receive") == "nodes 2 1")
        try manager.setPersistent(true)
    }

    @Test func aWriterThatLeftBeforeIsStillRead() throws {
        let reader = try Node(binding: path, directions: .receive)
        let (gone, leaving) = (try Peer(), try Peer())
        for peer in [gone, leaving] {
            try peer.expect("connect \(path) w")
            try peer.expect("send from \(peer.child.pid)")
        }
        for _ in 0..<2 { #expect(try reader.receive(timeout: .seconds(60)) != nil) }
        for peer in [gone, leaving] { try peer.expect("send more of \(peer.child.pid)") }
        gone.kill()
        try eventually("it is counted out") { reader.numberOfNodes.writers == 1 }
        try killKeeper()
        try leaving.expect("close")
        #expect(
            Set(try reader.drain().map { String(decoding: $0.bytes, as: UTF8.self) })
                == ["more of \(gone.child.pid)", "more of \(leaving.child.pid)"])
        // What is read is let go: its number is free for others.
        for round in 0..<40 {
            let writer = try Node(connecting: path, directions: .send)
            try writer.send("\(round)")
            writer.close()
            #expect(try #require(try reader.receive()).bytes == Array("\(round)".utf8))
        }
    }

    @Test func whoDiesWithTheKeeperHoldsNobodyUp() throws {
        let writer = try Peer()
        try writer.expect("bind \(path) lossless pool=4")
        try writer.expect("connect - w")
        let (dying, reader) = (try Peer(), try Node(connecting: path, directions: .receive))
        try dying.expect("connect \(path) r")
        for _ in 0..<4 { try writer.expect("trysend x") }
        #expect(try reader.drain().count == 4)
        try writer.tell("send through")
        try eventually("the writer sleeps") { writer.child.isAsleep }
        let keeper = try KeeperProcess(of: path)
        dying.child.signal(SIGKILL)
        try keeper.kill()
        #expect(try writer.answer() == "ok")
        #expect(try #require(try reader.receive()).bytes == Array("through".utf8))
        try eventually("it is counted out") { reader.numberOfNodes == NumberOfNodes(readers: 1, writers: 1) }
    }

    @Test func whoIsStoppedComesBackAndHasLostNothing() throws {
        let writer = try Peer()
        try writer.expect("bind \(path) lossless pool=4")
        try writer.expect("connect - w")
        let stopped = try Peer()
        try stopped.expect("connect \(path) r")
        for index in 0..<4 { try writer.expect("trysend \(index)") }
        stopped.child.stop()
        try killKeeper()
        // It has a process still: it counts, and holds the others up as with the keeper before.
        let late = try Node(connecting: path, directions: .receive)
        #expect(late.numberOfNodes == NumberOfNodes(readers: 2, writers: 1) && late.port == 2)
        #expect(try writer.ask("trysend x").hasPrefix("error \(EAGAIN) "))
        try writer.tell("send 4")
        try eventually("the writer sleeps") { writer.child.isAsleep }
        stopped.child.resume()
        for index in 0..<5 { #expect(try stopped.expect("receive") == "\(index) 0 \(index)") }
        #expect(try writer.answer() == "ok")
        #expect(try #require(try late.receive()).bytes == Array("4".utf8))
        stopped.kill()
        try eventually("it is counted out") { late.numberOfNodes == NumberOfNodes(readers: 1, writers: 1) }
    }

    @Test func nothingIsLostDoubledOrReorderedUnderLoad() throws {
        let manager = Node()
        try manager.bind(path, options: .with { $0.isLossless = true })
        let readers = try (0..<3).map { _ in try Peer() }
        let writers = try (0..<2).map { _ in try Peer() }
        for reader in readers { try reader.expect("connect \(path) r") }
        for writer in writers { try writer.expect("connect \(path) w") }
        for reader in readers { try reader.tell("collect 60000") }
        for (index, writer) in writers.enumerated() { try writer.tell("sendn 30000 100 \(index * 30000)") }
        for _ in 0..<5 {
            try killKeeper()
            let newcomer = try Node(connecting: path, directions: .send)
            newcomer.close()
        }
        for writer in writers {
            let answer = try writer.answer()
            #expect(answer == "ok")
        }
        for reader in readers { #expect(try reader.answer() == "ok 60000 \(60_000 * 59_999 / 2) 2") }
    }

    @Test func itEndsWithItsLastNodeAllTheSame() throws {
        let peers = try (0..<3).map { _ in try Peer() }
        try peers[0].expect("bind \(path)")
        for peer in peers { try peer.expect("connect \(peer === peers[0] ? "-" : path)") }
        let keeper = try killKeeper()
        for peer in peers { peer.kill() }
        try keeper.waitUntilGone()
        #expect(!exists(path) && !keeper.isListening)
    }

    @Test(.enabled(if: isRoot, "needs other users")) func withNobodyEligibleTheyGoOnAmongThemselves() throws {
        let owner = try Peer(user: stranger)
        chmod(scratch.path, 0o777)
        try owner.expect("umask 0")
        try owner.expect("bind \(path)")
        let peers = try (0..<2).map { _ in try Peer(user: stranger - 1) }
        for peer in peers { try peer.expect("connect \(path)") }
        // Who has sent before goes on: its memory is in the others' hands.
        try peers[0].expect("send before")
        #expect(try peers[1].expect("receive") == "0 0 before")
        let keeper = try KeeperProcess(of: path)
        owner.child.stop()
        try keeper.kill()
        try peers[0].expect("send on and on")
        #expect(try peers[1].expect("receive") == "1 0 on and on")
        #expect(try Peer(user: stranger - 1).ask("connect \(path)").hasPrefix("error \(EADDRINUSE) "))
        // The owner comes back to it, and with it the network.
        owner.child.resume()
        let late = try Peer(user: stranger - 1)
        try eventually("a keeper is elected") { try late.ask("connect \(path)").hasPrefix("ok") }
        try eventually("the others are back") { try peers[1].ask("send again") == "ok" }
        #expect(try late.expect("receive") == "0 0 again")
    }
}
