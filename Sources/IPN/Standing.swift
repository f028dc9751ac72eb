import CIPN
import CLinux
import Glibc
import IPNControl
import IPNSystem
import SystemPackage

/// What a member has on its network: all that it shows to a keeper that does not know it.
struct Standing {
    /// 0 before it is connected.
    private var nodeID: UInt64 = 0
    private var want: UInt32 = 0
    private var key: UInt64 = 0
    private var description = ipn_request()
    /// The node's memory, as long as it is connected.
    var region: OwnRegion?
    /// The descriptor of its slot pool, or -1.
    var pool: CInt = -1

    var isConnected: Bool { nodeID != 0 }
    /// Whether it is anything to the network.
    var hasPart: Bool { isConnected || want & UInt32(IPN_WANT_MANAGE) != 0 }

    mutating func bind() { want |= UInt32(IPN_WANT_MANAGE) }

    /// Notes what a keeper has granted.
    mutating func note(_ request: ipn_request, _ answer: ipn_answer) {
        switch ipn_operation(rawValue: request.operation) {
        case IPN_OP_BIND: bind()
        case IPN_OP_SHOW: key = request.key
        case IPN_OP_CONNECT:
            nodeID = answer.value
            key = request.key
            want |= answer.rights
        case IPN_OP_SHUTDOWN: want &= ~UInt32(request.value & 3)
        case IPN_OP_SET where request.option == Int32(IPN_SO_DESCR): description = request
        case IPN_OP_SET where request.option == Int32(IPN_SO_HANDLE_OOB): set(IPN_WANT_OOB, request.value)
        case IPN_OP_SET where request.option == Int32(IPN_SO_WANT_OOB_NUMNODES): set(IPN_WANT_NUMNODES, request.value)
        default: break
        }
    }

    private mutating func set(_ flag: UInt32, _ value: UInt64) {
        want = value != 0 ? want | flag : want & ~flag
    }

    /// The request by which it comes back.
    func request(knowsRoster: Bool) -> ipn_request {
        var request = description
        request.operation = IPN_OP_RETURN.rawValue
        request.option = 0
        request.value = nodeID
        request.key = key
        request.want = want
        request.epoch = knowsRoster ? 1 : 0
        return request
    }

    /// Calls `body` with the descriptors that go with it.
    func withDescriptors(
        file: CInt, _ wakers: NodeWakers?, _ body: ([CInt]) throws(Errno) -> Void
    ) throws(Errno) {
        guard let wakers else { return try body([file]) }
        guard nodeID != 0, let region else { return try body([file, wakers.handle, wakers.clapper]) }
        let memory = try region.memory.readOnlyDescriptor()
        let numbers = [file, memory.raw, wakers.readerBell, wakers.writerBell, wakers.clapper, wakers.handle]
        guard pool >= 0 else { return try body(numbers) }
        let slots = try SharedMemory.readOnlyDescriptor(of: pool)
        try body(numbers + [slots.raw])
    }
}
