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
        try greet(asking)
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

    /// The id of a node, from the roll that everybody is given.
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
}
