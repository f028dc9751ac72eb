package import CIPN
import CLinux
import Glibc
package import IPNSystem
package import SystemPackage

/// One end of the conversation between a node and its keeper: typed packets over a packet socket.
package struct ControlSocket: ~Copyable, Sendable {
    package let socket: PacketSocket

    package init(_ socket: consuming PacketSocket) {
        self.socket = socket
    }

    /// Sends one request. - Throws: `EPIPE`, `ECONNRESET` where the keeper is gone.
    /// - Parameter payload: bytes that follow it, for a policy.
    package borrowing func send(_ request: ipn_request, payload: [UInt8] = [], descriptors: [CInt] = []) throws(Errno) {
        var request = request
        request.magic = UInt32(IPN_CONTROL_MAGIC)
        request.version = UInt32(IPN_CONTROL_VERSION)
        request.record_version = UInt32(IPN_RECORD_VERSION)
        try send(&request, followedBy: payload, descriptors: descriptors, flags: 0)
    }

    /// Sends one answer with the records that follow it. Never blocks.
    /// - Throws: `EAGAIN` to a client that does not read.
    package borrowing func send<Item>(
        _ answer: ipn_answer, items: [Item], descriptors: [CInt] = []
    ) throws(Errno) {
        var answer = answer
        answer.magic = UInt32(IPN_CONTROL_MAGIC)
        answer.version = UInt32(IPN_CONTROL_VERSION)
        answer.record_version = UInt32(IPN_RECORD_VERSION)
        answer.count = UInt32(items.count)
        try send(&answer, followedBy: items, descriptors: descriptors, flags: CInt(MSG_DONTWAIT))
    }

    private borrowing func send<Record, Item>(
        _ record: inout Record, followedBy items: [Item], descriptors: [CInt], flags: CInt
    ) throws(Errno) {
        var failure: Errno? = nil
        withUnsafeBytes(of: &record) { head in
            items.withUnsafeBytes { tail in
                do throws(Errno) {
                    try socket.send(tail.isEmpty ? [head] : [head, tail], descriptors: descriptors, flags: flags)
                } catch {
                    failure = error
                }
            }
        }
        if let failure { throw failure }
    }

    /// Bytes that any request fits in.
    package static let requestSize = MemoryLayout<ipn_request>.size + Int(IPN_POLICY_BYTES)

    /// Bytes that any packet fits in.
    package static let packetSize =
        MemoryLayout<ipn_answer>.size + Int(IPN_ITEMS_MAX) * MemoryLayout<ipn_status_item>.size

    /// Whether both sides speak the same: the versions of the protocol and of the records.
    package static func isOurs(magic: UInt32, version: UInt32, recordVersion: UInt32) -> Bool {
        magic == UInt32(IPN_CONTROL_MAGIC) && version == UInt32(IPN_CONTROL_VERSION)
            && recordVersion == UInt32(IPN_RECORD_VERSION)
    }
}

/// A text of fixed room, as the records carry it.
package func fixedText(_ bytes: some Collection<UInt8>, into room: UnsafeMutableRawBufferPointer) -> UInt32 {
    let cut = bytes.prefix(room.count)
    room.copyBytes(from: cut)
    return UInt32(cut.count)
}
