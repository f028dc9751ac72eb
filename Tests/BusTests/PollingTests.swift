import CIPN
import CLinux
import Glibc
@testable import IPN
import IPNRing
import IPNSystem
import SystemPackage
import Testing
import TestSupport

/// The node's descriptor: readable when, and only when, there is something to do.
@Suite struct PollingTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    @Test func readableOnlyWhenThereIsSomethingToDo() throws {
        let writer = try Node(binding: path)
        let reader = try Node(connecting: path)
        let descriptor = try reader.fileDescriptor()
        #expect(try reader.fileDescriptor() == descriptor)
        _ = try reader.drain()
        for _ in 0..<50 {
            #expect(!isReadable(descriptor))
            for _ in 0..<3 { try writer.send("x") }
            for left in (0..<3).reversed() {
                #expect(isReadable(descriptor), "\(left + 1) are there")
                _ = try reader.receive(timeout: .zero)
            }
            #expect(try reader.receive(timeout: .zero) == nil)
        }
    }

    @Test func aDescriptorMadeLateKnowsWhatIsThere() throws {
        let writer = try Node(binding: path)
        let reader = try Node(connecting: path)
        try writer.send("x")
        #expect(isReadable(try reader.fileDescriptor()))
    }

    @Test func newsMakeItReadable() throws {
        let watcher = try Node(binding: path)
        let descriptor = try watcher.fileDescriptor()
        _ = try watcher.drain()
        #expect(!isReadable(descriptor))
        try watcher.setWantsNumberOfNodes(true)
        #expect(isReadable(descriptor), "the first news are there at once")
        _ = try watcher.drain()
        #expect(!isReadable(descriptor))
        let peer = try Peer()
        try peer.expect("connect \(path)")
        #expect(isReadable(descriptor, milliseconds: watchdogMilliseconds))
        _ = try watcher.drain()
        peer.kill()
        // Every change of the roster rings: the count comes with one of them.
        var last: NumberOfNodes?
        while last != NumberOfNodes(readers: 1, writers: 1) {
            try #require(isReadable(descriptor, milliseconds: watchdogMilliseconds))
            last = try watcher.drain().compactMap(\.numberOfNodes).last ?? last
        }
    }

    @Test func theEndOfTheKeeperIsNoNews() throws {
        let (node, writer) = (try Node(binding: path), try Peer())
        try writer.expect("connect \(path)")
        try writer.expect("send before")
        let descriptor = try node.fileDescriptor()
        #expect(try node.drain().count == 1)
        try KeeperProcess(of: path).kill()
        try eventually("a keeper is elected") { (try? NetworkStatus(of: path).nodes.count) == 2 }
        #expect(!isReadable(descriptor) && !node.isNetworkGone)
        try writer.expect("send after")
        #expect(isReadable(descriptor, milliseconds: watchdogMilliseconds))
        #expect(try node.drain().count == 1 && !isReadable(descriptor))
    }

    /// Programs that poll and then receive without `O_NONBLOCK`: a descriptor that is readable for nothing would hang them.
    @Test func whatIsReadableIsThere() throws {
        let writer = try Node(binding: path)
        let reader = try Node(connecting: path)
        let descriptor = try reader.fileDescriptor()
        for round in 0..<200 {
            for _ in 0...round % 3 { try writer.send("\(round)") }
            var taken = 0
            while isReadable(descriptor) {
                #expect(try reader.receive(timeout: .seconds(60)) != nil)
                taken += 1
            }
            #expect(taken == round % 3 + 1)
        }
    }

    /// The name of a handle is no secret; the key is.
    @Test func aStrangerCannotMakeItReadable() throws {
        let node = try Node(binding: path)
        let descriptor = try node.fileDescriptor()
        let raw = linux_datagram_to(descriptor)
        try #require(raw >= 0)
        let stranger = Descriptor(owning: raw)
        for length in [0, 1, 4, 7, 8, 9, 100] {
            let bytes = [UInt8](repeating: 7, count: length)
            #expect(Glibc.send(stranger.raw, bytes, length, 0) == length)
        }
        #expect(!isReadable(descriptor))
    }

    @Test func shuttingDownWakesWhoReceives() throws {
        let node = try Node(binding: path)
        let sleeper = OtherThread {
            do throws(IPNError) {
                _ = try node.receive()
                return nil
            } catch {
                return error.errno
            }
        }
        try eventually("it sleeps") { node.region.map { $0.words.armed.load() & UInt64(IPN_ASLEEP) != 0 } ?? false }
        try node.shutdown(.receive)
        #expect(sleeper.wait() == .permissionDenied)
        #expect(isReadable(try node.fileDescriptor()), "the end is something to be told of")
    }

    @Test func itIsUsableInsideAnotherPoll() throws {
        let writer = try Node(binding: path)
        let nodes = try (0..<5).map { _ in try Node(connecting: path) }
        for node in nodes { _ = try node.drain() }
        var set = try nodes.map { pollfd(fd: try $0.fileDescriptor(), events: Int16(POLLIN), revents: 0) }
        #expect(poll(&set, 5, 0) == 0)
        try writer.send("x")
        #expect(poll(&set, 5, watchdogMilliseconds) == 5)
    }

    /// A reader that polls before each message and takes one at a time: a single lost stroke would stop the network.
    @Test(arguments: [1, 8]) func noStrokeIsLost(pool: Int) throws {
        let manager = Node()
        try manager.bind(
            path,
            options: .with {
                $0.isLossless = true
                $0.poolSize = pool
            })
        let reader = try Node(connecting: path, directions: .receive)
        let writers = try (0..<2).map { _ in try Peer() }
        for writer in writers {
            try writer.expect("connect \(path) w")
            try writer.tell("sendn 15000 8 0")
        }
        let descriptor = try reader.fileDescriptor()
        var taken = 0
        while taken < 30_000 {
            try #require(isReadable(descriptor, milliseconds: watchdogMilliseconds), "\(taken) came, and then nothing")
            if try reader.receive(timeout: .zero) != nil { taken += 1 }
        }
        for writer in writers { #expect(try writer.answer() == "ok") }
    }

    /// A reader that sleeps in `receive`, and a writer that sleeps for room, over and over.
    @Test func noSleeperIsForgotten() throws {
        let manager = Node()
        try manager.bind(
            path,
            options: .with {
                $0.isLossless = true
                $0.poolSize = 1
            })
        let (writer, reader) = (try Peer(), try Peer())
        try reader.expect("connect \(path) r")
        try writer.expect("connect \(path) w")
        try reader.tell("collect 4000")
        try writer.tell("sendn 4000 8 0")
        #expect(try writer.answer() == "ok")
        #expect(try reader.answer() == "ok 4000 \(4_000 * 3_999 / 2) 1")
    }
}
