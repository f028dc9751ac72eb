import CIPN
import Glibc

/// A message in the keeper's own memory: a copy that its sender cannot reach, as a policy sees it.
final class RoutedMessage {
    /// What the policy is given; it may change all of it, so where the memory is stands in `bytes` as well.
    let record: UnsafeMutablePointer<ipn_policy_message>
    private let bytes: UnsafeMutableRawPointer
    private let room: Int
    /// Times that it was injected.
    var depth: CUnsignedInt = 0
    /// The port it came from, or is to come from.
    var port: CInt = -1
    /// Under which its recipients are counted, on a LOSSLESS network; nil before the first.
    var ticket: Int?

    /// - Parameter room: bytes. Only what is touched costs memory.
    init?(room: Int) {
        guard let bytes = malloc(max(room, 1)) else { return nil }
        self.bytes = bytes
        self.room = room
        record = .allocate(capacity: 1)
        record.initialize(to: ipn_policy_message())
        reset(length: 0, tag: 0)
    }

    deinit {
        free(bytes)
        record.deallocate()
    }

    /// As new, whatever a policy did to the record.
    func reset(length: Int, tag: UInt64) {
        record.pointee.data = bytes.assumingMemoryBound(to: UInt8.self)
        record.pointee.length = length
        record.pointee.room = room
        record.pointee.tag = tag
        depth = 0
        ticket = nil
    }

    /// Copies in. - Parameter length: at most the room.
    func fill(_ source: UnsafeRawPointer?, length: Int, tag: UInt64) {
        reset(length: length, tag: tag)
        if let source, length > 0 { bytes.copyMemory(from: source, byteCount: length) }
    }
}
