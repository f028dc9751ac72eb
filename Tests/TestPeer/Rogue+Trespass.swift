import CIPN
import CLinux
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage
import TestSupport

/// Asking for what is others'.
extension Rogue {
    /// Holds all that a greeting is answered with.
    func peek() throws {
        let control = try connection()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ControlSocket.packetSize, alignment: 16)
        defer { buffer.deallocate() }
        try control.send(request(IPN_OP_HELLO), descriptors: [marker.raw])
        let packet = try control.socket.receive(into: buffer)
        say("error \(buffer.loadUnaligned(as: ipn_answer.self).error), \(packet.descriptors.count) descriptors")
        waitForEnd()
    }

    /// Says to a keeper that was elected that it is the node at a port, in all the ways that there are, and that this node leaves.
    func usurp(port: Int32) throws {
        let asking = try connection()
        let victim = try node(at: port, asking)
        let things = try WrongThings(self)
        var answers: [CInt] = []
        for want in [UInt32(0), UInt32(IPN_WANT_OOB), UInt32(IPN_WANT_RECEIVE | IPN_WANT_SEND)] {
            let control = try connection()
            var returning = request(IPN_OP_RETURN, value: victim)
            returning.want = want
            let error = try ask(control, returning, [marker.raw] + things.right)
            answers.append(error)
            for operation in [IPN_OP_DRAINED, IPN_OP_SETTLE, IPN_OP_LEAVE] { _ = try ask(control, request(operation, value: victim), []) }
        }
        say("answers \(answers.map(String.init).joined(separator: " "))")
        waitForEnd()
    }

    /// The id of a node, from the roll that everybody is given who greets.
    private func node(at port: Int32, _ control: borrowing ControlSocket) throws -> UInt64 {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ControlSocket.packetSize, alignment: 16)
        defer { buffer.deallocate() }
        try control.send(request(IPN_OP_HELLO), descriptors: [marker.raw])
        var packet = try control.socket.receive(into: buffer)
        guard let page = packet.descriptors.next() else { throw Trouble("no page") }
        let mapping = try Mapping(descriptor: page.raw, size: NetworkPage.size, writable: false)
        let used = mapping.base.loadUnaligned(as: ipn_network_page.self).roll_used
        for place in 0..<Int(used) {
            let entry = mapping.base.loadUnaligned(fromByteOffset: NetworkPage.rollRange(place).lowerBound, as: ipn_roll_entry.self)
            if entry.node_id != 0 && entry.port == port { return entry.node_id }
        }
        throw Trouble("nobody is at port \(port)")
    }

    func returnWithWrongDescriptors() throws {
        let things = try WrongThings(self)
        for _ in 0..<20 {
            for descriptors in things.lists {
                let control = try connection()
                guard try ask(control, request(IPN_OP_RETURN, value: 12345), [marker.raw] + descriptors) != 0 else { throw Trouble("taken back") }
                var observer = request(IPN_OP_RETURN, value: 12345)
                observer.want = 0
                guard try ask(control, observer, [marker.raw] + descriptors) != 0 else { throw Trouble("taken back") }
            }
        }
        say("refused")
        waitForEnd()
    }

    /// Asks to be let in again and again, and takes none of the descriptors that it is answered with, until all have been asked for.
    func hoardAnswers(_ count: Int) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ControlSocket.packetSize, alignment: 16)
        defer { buffer.deallocate() }
        var connections: [CInt] = []
        for _ in 0..<count {
            let control = try connection()
            try control.send(request(IPN_OP_HELLO), descriptors: [marker.raw])
            guard isReadable(control.socket.descriptor.raw, milliseconds: watchdogMilliseconds) else { throw Trouble("no answer") }
            connections.append(try control.socket.descriptor.duplicate().release())
        }
        var taken: [CInt] = []
        for connection in connections {
            let packet = try PacketSocket(owning: Descriptor(owning: connection)).receive(into: buffer)
            taken.append(CInt(packet.descriptors.count))
        }
        say("descriptors \(taken.reduce(0, +))")
        // Nor does it get more by asking for more before it has taken what it was given.
        let control = try connection()
        for _ in 0..<2 {
            try? control.send(request(IPN_OP_HELLO), descriptors: [marker.raw])
            _ = isReadable(control.socket.descriptor.raw, milliseconds: watchdogMilliseconds)
        }
        // Who asks later is answered later.
        try greet(try connection())
        var answers: [CInt] = []
        while let packet = try? control.socket.receive(into: buffer), packet.length > 0 { answers.append(CInt(packet.descriptors.count)) }
        say("answers \(answers)")
        waitForEnd()
    }

    /// Has others strike a socket that it may not send to: it names one of its own, and leads that name there.
    func mislead(_ name: String, to target: String) throws {
        func bound() throws -> CInt {
            let raw = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0)
            _ = try withSocketAddress(name) { address, length in linux_bind(raw, address, length) }
            return raw
        }
        _ = try bound()
        let clapper = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0)
        _ = try withSocketAddress(name) { address, length in linux_connect(clapper, address, length) }
        guard unlink(name) == 0, symlink(target, name) == 0 else { throw Trouble("cannot lead \(name) elsewhere") }
        // Words that a service may understand are no key.
        let words = Array("REBOOT!\n".utf8).withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
        let isRefused = (try? RogueMember(self, clapper: clapper, key: words)) == nil
        let member = try RogueMember(self, clapper: clapper, key: words & ~UInt64(littleEndian: 0xff))
        say(isRefused ? "joined" : "was believed")
        waitForEnd()
        _ = consume member
    }

    /// Is struck by what nobody can say of whether it is open.
    func outlive() throws {
        var ends: [CInt] = [-1, -1]
        guard socketpair(AF_UNIX, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else { throw Trouble("socketpair") }
        let member = try RogueMember(self, clapper: ends[0])
        say("joined")
        waitForEnd()
        _ = consume member
    }

    /// Binds a network that another is making, with options of its own.
    func bindFirst() throws {
        let control = try connection()
        try greet(control)
        var binding = request(IPN_OP_BIND)
        binding.want = UInt32(IPN_WANT_MANAGE)
        binding.options = ipn_options(
            protocol: UInt32(IPN_BROADCAST), mtu: 1, node_limit: 1, pool_size: 1, flags: 0, mode: 0o777, history: 0, persist: 0)
        say("error \(try ask(control, binding, []))")
        waitForEnd()
    }
}
