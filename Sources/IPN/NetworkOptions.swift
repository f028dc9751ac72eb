import CIPN
import IPNRing
public import SystemPackage

/// What a network is made with. The defaults are IPN's own.
public struct NetworkOptions: Equatable, Sendable {
    /// The policy by which messages are delivered: `IPN_BROADCAST`, to everybody. `IPN_ANY` only joins a network that is
    /// there. From 2 on messages are routed, by a policy that is installed under that number or named by `policy`.
    public var protocolNumber = Int(IPN_BROADCAST)
    /// Longest message in bytes, 1 to 1 GiB (`IPN_SO_MTU`).
    public var mtu = Int(IPN_MTU_DEFAULT)
    /// Most nodes at a time, 1 to 65535 (`IPN_SO_NUMNODES`).
    public var nodeLimit = Int(IPN_NUMNODES_DEFAULT)
    /// Pending messages: for each receiver when LOSSY, in the whole network when LOSSLESS (`IPN_SO_MSGPOOLSIZE`).
    public var poolSize = Int(IPN_MSGPOOLSIZE_DEFAULT)
    /// Whether a full pool holds the senders up, instead of dropping the oldest (`IPN_FLAG_LOSSLESS`).
    public var isLossless = false
    /// Who may receive (`r`), send (`w`) and manage (`x`); the umask applies (`IPN_SO_MODE`).
    public var mode: FilePermissions = FilePermissions(rawValue: CModeT(IPN_MODE_DEFAULT))
    /// Messages that each writer keeps for those who join later (`IPN_SO_HISTORY`).
    public var history = 0
    /// The path of the shared object that routes messages on a network that is made (see ipn_policy.h). Its number counts
    /// then, unless another than `IPN_BROADCAST` is asked for.
    public var policy: String?
    /// Whether the network lives on without anybody on it (`IPN_SO_PERSIST`).
    public var isPersistent = false

    public init() {}

    init(_ record: ipn_options) {
        protocolNumber = Int(record.protocol)
        mtu = Int(record.mtu)
        nodeLimit = Int(record.node_limit)
        poolSize = Int(record.pool_size)
        isLossless = record.flags & UInt32(IPN_FLAG_LOSSLESS) != 0
        mode = FilePermissions(rawValue: CModeT(record.mode))
        history = Int(record.history)
        isPersistent = record.persist != 0
    }

    func record() -> ipn_options {
        ipn_options(
            protocol: policy != nil && protocolNumber == Int(IPN_BROADCAST) ? UInt32(IPN_PROTOCOL_OF_POLICY) : UInt32(protocolNumber),
            mtu: UInt32(mtu), node_limit: UInt32(nodeLimit), pool_size: UInt32(poolSize),
            flags: isLossless ? UInt32(IPN_FLAG_LOSSLESS) : 0, mode: UInt32(mode.rawValue), history: UInt32(history),
            persist: isPersistent ? 1 : 0)
    }

    /// Bytes of addresses for one sender's messages. A process has 128 TiB of them, and maps the pool of each whom it hears.
    private static let mostAddresses = 16 << 40

    /// - Throws: `EINVAL` that names the option and its range.
    func check(_ path: String) throws(IPNError) {
        func require(_ value: Int, _ range: ClosedRange<Int>, _ name: String) throws(IPNError) {
            guard range.contains(value) else {
                throw IPNError(.invalidArgument, path, "\(name) \(value) is out of range", remedy: "\(range.lowerBound) to \(range.upperBound)")
            }
        }
        try require(mtu, 1...Int(IPN_MTU_MAX), "MTU")
        try require(nodeLimit, 1...Int(IPN_NUMNODES_MAX), "limit of nodes")
        try require(poolSize, 1...Int(IPN_MSGPOOLSIZE_MAX), "message pool size")
        try require(protocolNumber, 0...Int(Int32.max), "protocol")
        try require(history, 0...Int(IPN_HISTORY_MAX), "history")
        let addresses = record().poolLayout.size
        guard addresses <= Self.mostAddresses else {
            throw IPNError(
                .invalidArgument, path,
                "with an MTU of \(mtu), a pool of \(poolSize) and a history of \(history) each sender would take \(addresses >> 40) TiB of addresses",
                remedy: "make one of them smaller: \(Self.mostAddresses >> 40) TiB are possible")
        }
    }
}
