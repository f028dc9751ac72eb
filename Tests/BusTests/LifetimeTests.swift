import Glibc
import CLinux
import IPN
import Testing
import TestSupport

/// A network lives while somebody is on it; what a crash leaves behind is taken over.
@Suite struct LifetimeTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    @Test func itEndsWithTheLastNode() throws {
        let maker = Node()
        try maker.bind(path)
        let other = try Peer()
        try other.expect("connect \(path)")
        let keeper = try KeeperProcess(of: path)
        maker.close()
        #expect(try Node(connecting: path).isConnected, "whoever made it")
        other.kill()
        try keeper.waitUntilGone()
        #expect(!exists(path) && !keeper.isListening)
        #expect(try Node(binding: path).madeNetwork)
    }

    @Test func aNetworkThatPersistsWaits() throws {
        let node = Node()
        try node.bind(path, options: .with { $0.isPersistent = true })
        let keeper = try KeeperProcess(of: path)
        node.close()
        #expect(try Node(connecting: path).port == 0)
        #expect(keeper.isRunning)
        let last = Node()
        try last.bind(path)
        try last.setPersistent(false)
        #expect(exists(path), "as long as somebody is bound")
        last.close()
        try keeper.waitUntilGone()
        #expect(!exists(path))
        expect(throws: errno(ENOTCONN)) { try last.setPersistent(true) }
    }

    @Test func onlyBoundNodesMakeItPersist() throws {
        let node = try Node(binding: path)
        let other = try Node(connecting: path)
        expect(throws: errno(ENOTCONN)) { try other.setPersistent(true) }
        try node.setPersistent(true)
        try node.setPersistent(false)
    }

    @Test func aCrashOfEverybodyIsTakenOverWithItsMode() throws {
        let peers = try [Peer(), Peer()]
        try peers[0].expect("bind \(path) mtu=100")
        try peers[0].expect("connect -")
        try peers[1].expect("connect \(path)")
        chmod(path, 0o641)
        // As long as it is held, the inode's number is no other network's, and so is the name of its door.
        let inode = linux_open(path, O_PATH, 0)
        defer { close(inode) }
        let keeper = try KeeperProcess(of: path)
        // Stopped, so that none of them makes another keeper.
        for peer in peers { peer.child.stop() }
        try keeper.kill()
        for peer in peers { peer.kill() }
        #expect(exists(path), "nobody was left to remove it")
        expect(throws: errno(ECONNREFUSED)) { try Node(connecting: path) }
        let node = try Node(binding: path, options: .with { $0.mtu = 200 })
        #expect(node.madeNetwork && node.options.mtu == 200)
        #expect(try NetworkStatus(of: path).permissions == 0o641)
        #expect(scratch.contents == ["net"])
        #expect(!keeper.isListening, "the dead one's door is gone too")
        try Node(connecting: path).send("alive")
        #expect(try #require(try node.receive()).bytes == Array("alive".utf8))
    }

    @Test func aLiveNetworkWithoutKeeperIsNeverASecondOne() throws {
        let peer = try Peer()
        try peer.expect("bind \(path)")
        try peer.expect("connect -")
        let keeper = try KeeperProcess(of: path)
        peer.child.stop()
        try keeper.kill()
        expect(throws: errno(EADDRINUSE)) { try Node(binding: path) }
        expect(throws: errno(EADDRINUSE)) { try Node(connecting: path) }
        peer.child.resume()
        try eventually("a keeper is elected") { (try? NetworkStatus(of: path).nodes.count) == 1 }
        let node = try Node(binding: path)
        #expect(!node.madeNetwork)
        try peer.expect("send going on")
        #expect(try #require(try node.receive()).bytes == Array("going on".utf8))
    }

    @Test func firstBindsAtTheSameInstantMakeOneNetwork() throws {
        for round in 0..<4 {
            let name = scratch("net\(round)")
            let peers = try (0..<12).map { _ in try Peer() }
            for peer in peers { try peer.expect("umask 0") }
            for peer in peers { try peer.tell("bind \(name)") }
            let answers = try peers.map { try $0.answer() }
            #expect(answers.filter { $0 == "ok made" }.count == 1, "\(answers)")
            #expect(answers.filter { $0 == "ok joined" }.count == 11, "\(answers)")
            let ports = Set(try peers.map { try $0.expect("connect - ") })
            #expect(ports.count == 12, "all on the same network")
            let keeper = try KeeperProcess(of: name)
            for peer in peers { peer.kill() }
            try keeper.waitUntilGone()
        }
        #expect(scratch.contents.isEmpty)
    }

    @Test func takeoversAtTheSameInstantMakeOneNetwork() throws {
        let first = try Peer()
        try first.expect("bind \(path)")
        let keeper = try KeeperProcess(of: path)
        first.child.stop()
        try keeper.kill()
        first.kill()
        let peers = try (0..<8).map { _ in try Peer() }
        for peer in peers { try peer.tell("bind \(path)") }
        let answers = try peers.map { try $0.answer() }
        #expect(answers.filter { $0 == "ok made" }.count == 1, "\(answers)")
        #expect(answers.filter { $0 == "ok joined" }.count == 7, "\(answers)")
        #expect(scratch.contents == ["net"])
    }

    @Test func comingAndGoingNeverFails() throws {
        // Each time the last one leaves, the network ends under whoever comes just then.
        let peers = try (0..<4).map { _ in try Peer() }
        for _ in 0..<60 {
            for peer in peers {
                try peer.tell("bind \(path)")
                try peer.tell("connect -")
                try peer.tell("close")
            }
            for peer in peers {
                let answers = try (0..<3).map { _ in try peer.answer() }
                #expect(answers[0] == "ok made" || answers[0] == "ok joined", "\(answers)")
                #expect(answers[1].hasPrefix("ok ") && answers[2] == "ok", "\(answers)")
            }
        }
    }
}
