import CIPN
import Glibc
import IPN
import Testing
import TestSupport

/// Messages that are held in place.
@Suite struct HoldTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    private func publish(_ writer: Node, _ seed: UInt64) throws {
        try writer.send(Pattern.bytes(1400, seed: seed), tag: seed)
    }

    @Test(arguments: [false, true]) func fourStayIntactWhileTheWriterGoesOn(lossless: Bool) throws {
        let writer = try Node(binding: path, options: .with { $0.isLossless = lossless })
        let (holder, other) = (try Peer(), try Node(connecting: path, directions: .receive))
        try holder.expect("connect \(path) r")
        for seed in 0..<UInt64(4) {
            try publish(writer, seed)
            #expect(try holder.expect("hold") == "\(seed)")
            _ = try other.receive()
        }
        try publish(writer, 4)
        _ = try other.receive()
        #expect(try holder.ask("hold").hasPrefix("error \(ENOBUFS) "))
        #expect(try holder.ask("receive 0").hasPrefix("error \(ENOBUFS) "))
        if lossless {
            // It holds the network up at the fifth: seven more, and the pool is full.
            for seed in 5..<UInt64(12) { try publish(writer, seed) }
            expect(throws: errno(EAGAIN)) { try writer.send("x", timeout: .zero) }
        } else {
            for seed in 5..<UInt64(5000) {
                try publish(writer, seed)
                #expect(try #require(try other.receive(timeout: .zero)).sequence == seed)
            }
        }
        #expect(try holder.expect("check") == "4")
        try holder.expect("drop")
        #expect(try holder.expect("hold").hasPrefix(lossless ? "4" : "4992"))
        #expect(try holder.expect("check") == "1")
    }

    @Test func aHeldMessageOutlivesItsSenderAndItsNode() throws {
        let manager = Node()
        try manager.bind(path)
        let writer = try Peer()
        let reader = try Node(connecting: path)
        try writer.expect("connect \(path) w")
        try writer.expect("sendn 1 1400 77")
        let held = Keeping(try reader.hold())
        writer.kill()
        try eventually("it is counted out") { manager.numberOfNodes.writers == 1 }
        #expect(try reader.drain().isEmpty)
        #expect(held.isWhole)
        reader.close()
        #expect(held.isWhole)
    }

    /// A box for what must not be copied.
    private final class Keeping {
        private let held: HeldMessage?
        init(_ held: consuming HeldMessage?) { self.held = held }

        var isWhole: Bool {
            switch held {
            case .some(let held): Pattern.matches(held.message.bytes, seed: held.message.tag)
            case nil: false
            }
        }
    }

    @Test func eachWriterHasPinsOfItsOwn() throws {
        let writers = try [Node(binding: path), Node(connecting: path)]
        let reader = try Peer()
        try reader.expect("connect \(path) r")
        for _ in 0..<4 {
            for writer in writers {
                try publish(writer, 9)
                try reader.expect("hold")
            }
        }
        #expect(try reader.expect("check") == "8")
        try publish(writers[0], 10)
        #expect(try reader.ask("receive 0").hasPrefix("error \(ENOBUFS) "))
    }

    @Test func aKilledHoldersPinsAreGone() throws {
        let writer = try Node(binding: path, options: .with { $0.nodeLimit = 3 })
        for _ in 0..<30 {
            let holder = try Peer()
            try holder.expect("connect \(path) r")
            for seed in 0..<UInt64(4) {
                try publish(writer, seed)
                try holder.expect("hold")
            }
            holder.kill()
            try eventually("it is counted out") { writer.numberOfNodes.readers == 1 }
        }
        // Until it has heard of the deaths, a writer may run short and drop; then no more.
        try eventually("every slot is there again") {
            let before = try NetworkStatus(of: path).nodes[0].dropped
            for seed in 0..<UInt64(100) { try publish(writer, seed) }
            return try NetworkStatus(of: path).nodes[0].dropped == before
        }
    }

    @Test func aLentMessageIsReadInPlaceWithoutACopy() throws {
        let writer = try Node(binding: path)
        let reader = try Node(connecting: path)
        try publish(writer, 3)
        let result = try reader.withMessage { message -> Bool in
            for seed in 100..<UInt64(1000) { try publish(writer, seed) }
            return Pattern.matches(message.bytes, seed: 3) && message.tag == 3
        }
        #expect(result == true)
        #expect(try #require(try reader.receive()).lost == 892)
    }
}
