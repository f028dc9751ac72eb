import CIPN
import Glibc
import IPNControl
import IPNSystem
import SystemPackage

/// What a network's keeper tells of it: for `ipn show`.
public struct NetworkStatus: Sendable {
    public let path: String
    public let options: NetworkOptions
    /// The marker's permission bits as they are now.
    public let permissions: Int
    public let ownerID: Int
    public let nodes: [NodeStatus]

    public var readers: Int { nodes.count { $0.receives } }
    public var writers: Int { nodes.count { $0.sends } }
    // Each count is its node's word only, so no sum may trap.
    /// Messages sent by those who are here.
    public var sent: UInt64 { nodes.reduce(0) { $0 &+ $1.sent } }
    public var lost: UInt64 { nodes.reduce(0) { $0 &+ $1.lost } }

    /// One party. Counts are since it joined.
    public struct NodeStatus: Sendable {
        /// Nil for one that is only bound, or an observer.
        public let port: Int?
        public let processID: Int
        public let userID: Int
        public let receives: Bool
        public let sends: Bool
        public let sent: UInt64
        public let received: UInt64
        public let sentBytes: UInt64
        public let receivedBytes: UInt64
        /// Messages that were overwritten before it read them.
        public let lost: UInt64
        /// Own messages that found no slot: lost to all.
        public let dropped: UInt64
        /// Messages that it has still to read.
        public let pending: UInt64
        /// Of one that receives, as far as it says so: `Node.note(delay:)`.
        public let delays: Delays?
        public let description: String

        init(_ item: ipn_status_item, _ delays: Delays?) {
            port = item.port >= 0 ? Int(item.port) : nil
            processID = Int(item.pid)
            userID = Int(item.uid)
            receives = item.flags & UInt32(IPN_MEMBER_RECEIVES) != 0
            sends = item.flags & UInt32(IPN_MEMBER_SENDS) != 0
            sent = item.sent
            received = item.received
            sentBytes = item.sent_bytes
            receivedBytes = item.received_bytes
            lost = item.lost
            dropped = item.dropped
            pending = item.pending
            self.delays = delays
            description = withUnsafeBytes(of: item.text) {
                String(decoding: $0.prefix(Int(min(item.text_length, UInt32(IPN_DESCRLEN)))), as: UTF8.self)
            }
        }
    }

    /// Asks the network at `path`. Needs one of `r`, `w` and `x`.
    /// - Throws: `EACCES` without any; `ENOENT`, `ECONNREFUSED` where no network is; `EADDRINUSE` where its keeper cannot be reached.
    public init(of path: String) throws(IPNError) {
        do throws(Errno) {
            let attachment = try Attachment.open(Path(path), creating: nil)
            let options = attachment.options
            permissions = Int(attachment.status.mode & 0o7777)
            ownerID = Int(attachment.status.owner)
            let membership = try Membership(path: Path(path), attachment: attachment, options: options)
            self.path = path
            self.options = NetworkOptions(options)
            let delays = try membership.list(IPN_OP_DELAYS, ipn_delays_item.self).map { ($0.node_id, Delays($0.delays)) }
            let delaysOfNode = Dictionary(delays, uniquingKeysWith: { one, _ in one })
            nodes = try membership.list(IPN_OP_STATUS, ipn_status_item.self).map { NodeStatus($0, delaysOfNode[$0.node_id]) }
                .sorted { ($0.port ?? .max, $0.processID) < ($1.port ?? .max, $1.processID) }
        } catch {
            throw IPNError.joining(error, Path(path))
        }
    }
}
