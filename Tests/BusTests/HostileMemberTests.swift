import CIPN
import CLinux
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage
import Testing
import TestSupport

@testable import IPN

/// A member that does not play by the rules harms itself; the keeper and the others go on.
@Suite struct HostileMemberTests {
    let scratch: Scratch
    let path: String
    let honest: Node
    let keeper: KeeperProcess

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
        honest = try Node(binding: path)
        keeper = try KeeperProcess(of: path)
    }

    /// The network works, for those who are in and for newcomers.
    private func expectAlive() throws {
        #expect(keeper.isRunning)
        let other = try Node(connecting: path)
        try honest.send("alive")
        #expect(try other.drain().contains { $0.bytes == Array("alive".utf8) })
    }

    private func connection() throws -> ControlSocket {
        ControlSocket(try PacketSocket(connectingTo: keeper.rendezvous))
    }

    /// Sends bytes as a packet. - Returns: what was answered; 0 where the keeper hung up.
    private func exchange(_ control: borrowing ControlSocket, _ bytes: [UInt8], descriptors: [CInt] = []) throws -> Int {
        try bytes.withUnsafeBytes { try control.socket.send([$0], descriptors: descriptors) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ControlSocket.packetSize, alignment: 16)
        defer { buffer.deallocate() }
        guard isReadable(control.socket.descriptor.raw, milliseconds: watchdogMilliseconds) else { throw Trouble("no answer") }
        do throws(Errno) {
            return try control.socket.receive(into: buffer).length
        } catch {
            if error == .connectionReset { return 0 }
            throw error
        }
    }

    @Test func absurdCountsAreOnlyShown() throws {
        let liars = try (0..<3).map { _ in try Node(connecting: path) }
        for liar in liars { try liar.send("x") }
        for liar in liars {
            let words = try #require(liar.region).words
            for word in [words.head, words.received, words.lost, words.dropped] { word.store(.max) }
        }
        let status = try NetworkStatus(of: path)
        #expect(status.nodes.count == 4)
        _ = (status.sent, status.lost, status.readers)
        let shown = try Child.run(Child.built("ipn"), ["show", path])
        #expect(shown.status == 0, "\(shown.errors)")
        #expect(try Child.run(Child.built("ipn"), ["show", path, "--json"]).status == 0)
        for liar in liars { liar.close() }
        try expectAlive()
    }

    @Test func packetsOfNoSenseEndTheirConnectionOnly() throws {
        var random = SeededRandom(21)
        for length in [1, 4, 79, 207, 208, 209, 5000] {
            let control = try connection()
            _ = try exchange(control, (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) })
        }
        try expectAlive()
    }

    @Test func everyRequestOfEveryKindIsAnsweredOrRefused() throws {
        var random = SeededRandom(22)
        let marker = try Descriptor.open(path, flags: O_PATH)
        for round in 0..<300 {
            let control = try connection()
            if round % 4 != 0 {
                var hello = ipn_request(IPN_OP_HELLO)
                hello.magic = UInt32(IPN_CONTROL_MAGIC)
                hello.version = UInt32(IPN_CONTROL_VERSION)
                hello.record_version = UInt32(IPN_RECORD_VERSION)
                #expect(try exchange(control, withUnsafeBytes(of: hello) { Array($0) }, descriptors: [marker.raw]) > 0)
            }
            for _ in 0..<5 {
                var request = ipn_request()
                withUnsafeMutableBytes(of: &request) { bytes in
                    for index in bytes.indices { bytes[index] = UInt8.random(in: 0...255, using: &random) }
                }
                request.magic = UInt32(IPN_CONTROL_MAGIC)
                request.version = UInt32(IPN_CONTROL_VERSION)
                request.record_version = UInt32(IPN_RECORD_VERSION)
                request.operation = UInt32.random(in: 0...12, using: &random)
                request.option = [0, 1, 2, 3, 4, 0x80, 0x81, 0x100, 0x102, request.option].randomElement(using: &random)!
                let wrong = [marker.raw, STDERR_FILENO].shuffled(using: &random).prefix(Int.random(in: 0...2, using: &random))
                // A bind here is a real one, by root: it may make the network persist.
                if request.operation == IPN_OP_SET.rawValue && request.option == IPN_SO_PERSIST { continue }
                if request.operation == IPN_OP_SET.rawValue && request.option == IPN_SO_CHANGE_NUMNODES { request.value |= 1 << 40 }
                if try exchange(control, withUnsafeBytes(of: request) { Array($0) }, descriptors: Array(wrong)) == 0 { break }
            }
        }
        try expectAlive()
    }

    @Test func whoCannotShowTheMarkerGetsNothing() throws {
        let control = try connection()
        for proof in ["/dev/null", scratch.path] {
            let file = try Descriptor.open(proof, flags: O_PATH)
            try control.send(ipn_request(IPN_OP_HELLO), descriptors: [file.raw])
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ControlSocket.packetSize, alignment: 16)
            defer { buffer.deallocate() }
            let packet = try control.socket.receive(into: buffer)
            #expect(buffer.loadUnaligned(as: ipn_answer.self).error == EACCES && packet.descriptors.count == 0)
        }
        try control.send(ipn_request(IPN_OP_STATUS))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ControlSocket.packetSize, alignment: 16)
        defer { buffer.deallocate() }
        _ = try control.socket.receive(into: buffer)
        #expect(buffer.loadUnaligned(as: ipn_answer.self).error == EPERM)
    }

    @Test func aClientThatAsksAndDoesNotReadIsLetGo() throws {
        let control = try connection()
        let raw = control.socket.descriptor.raw
        var request = ipn_request(IPN_OP_STATUS)
        request.magic = UInt32(IPN_CONTROL_MAGIC)
        // It writes until it is hung up on, or nothing more goes in.
        withUnsafeBytes(of: request) { bytes in
            for _ in 0..<20_000 where send(raw, bytes.baseAddress, bytes.count, CInt(MSG_DONTWAIT) | 0x4000) < 0 {
                break
            }
        }
        try expectAlive()
    }

    @Test func aWriterWhosePoolIsNonsenseIsOnlyNotHeard() throws {
        let (liar, reader) = (try Node(connecting: path), try Node(connecting: path))
        try liar.send("true")
        #expect(try reader.drain().count == 1)
        try #require(liar.region).words.head.store(1 << 62)
        try #require(liar.region).words.oldest.store(1 << 61)
        #expect(try reader.drain().isEmpty)
        try honest.send("honest")
        #expect(try reader.drain().contains { $0.bytes == Array("honest".utf8) })
        liar.close()
        try expectAlive()
    }

    @Test func aReaderWithAbsurdPlacesHoldsNoLossyWriterUp() throws {
        let (liar, reader) = (try Node(connecting: path), try Node(connecting: path))
        let words = try #require(liar.region).words
        for value in [UInt64(0), .max, 1 << 63, 5] {
            for cursor in 0..<4 {
                // Sparse: only what its process has paid for may be touched, and that is the first page here.
                words.cursor(cursor).tail.store(value)
                for pin in 0..<Int(IPN_PINS) { words.cursor(cursor).pin(pin).store(value) }
            }
            for _ in 0..<500 { try honest.send(Pattern.bytes(1000, seed: 4)) }
            let messages = try reader.drain()
            #expect(messages.count == 8 && messages.allSatisfy { $0.bytes == Pattern.bytes(1000, seed: 4) })
        }
    }
}
