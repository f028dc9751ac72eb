import CIPN
import CLinux
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

@testable import IPN
@testable import IPNKeeper

/// Requests as clients may send them, several clients at once, with descriptors of every kind.
func fuzzKeeper(_ script: inout Script) {
    let kinds = Kinds.shared
    guard let first = try? PacketSocket.pair(), let keeper = try? kinds.keeper(first: Descriptor(owning: first.1)) else { return }
    var ends = [first.0]
    defer { for end in ends { _ = close(end) } }
    while !script.isAtEnd {
        let index = script.below(4)
        if index >= ends.count {
            guard let pair = try? PacketSocket.pair(), (try? keeper.admit(Descriptor(owning: pair.1))) != nil else { return }
            ends.append(pair.0)
            continue
        }
        var request = ipn_request()
        if script.below(8) == 0 { script.fill(&request) }
        if script.below(16) != 0 {
            request.magic = UInt32(IPN_CONTROL_MAGIC)
            request.version = UInt32(IPN_CONTROL_VERSION)
            request.record_version = UInt32(IPN_RECORD_VERSION)
            request.operation = UInt32(script.below(Int(IPN_OP_RETURN.rawValue) + 1))
            request.option = Int32(truncatingIfNeeded: script.value(near: script.below(2) == 0 ? 0 : 0x100))
            request.port = Int32(truncatingIfNeeded: script.value(near: 0))
            request.value = script.value(near: 1)
            request.epoch = UInt64(script.below(3))
            request.want = UInt32(script.byte())
            request.text_length = UInt32(truncatingIfNeeded: script.value(near: UInt64(IPN_DESCRLEN)))
        }
        // As often as not what belongs to the request, or nothing would come of most.
        var descriptors = kinds.fitting(request.operation)
        if script.below(2) == 0 { descriptors = (0..<script.below(7)).map { _ in kinds.all[script.below(kinds.all.count)] } }
        if script.below(2) == 0 { request.options = kinds.options }
        let vector = withUnsafeBytes(of: request) { Array($0) }
        let length = script.below(8) == 0 ? script.below(256) : vector.count
        vector.withUnsafeBytes { bytes in
            var part = iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: min(length, bytes.count))
            _ = linux_send(ends[index], &part, 1, descriptors, descriptors.count, CInt(MSG_DONTWAIT))
        }
        for member in keeper.members.values.sorted(by: { $0.token < $1.token }) {
            while keeper.members[member.token] != nil, isReadable(member.control.socket.descriptor.raw) { keeper.serve(member, hungUp: false) }
        }
        drain(ends[index]) { Granted.shared.count($0) }
    }
}

/// How often the keeper did what was asked, by what it was: told at the end, as an input that only ever meets refusals tests little.
private final class Granted: @unchecked Sendable {
    // Sendable: libFuzzer runs one input after the other, in one thread.
    static let shared: Granted = {
        atexit { Granted.shared.tell() }
        return Granted()
    }()

    private var counts = [Int](repeating: 0, count: 20)
    private static let names = [
        "", "HELLO", "BIND", "CONNECT", "PULL", "POOL", "SHUTDOWN", "SET", "GET", "DRAINED", "STATUS", "DELAYS", "SHOW", "LEAVE",
    ]

    func count(_ answer: ipn_answer) {
        if answer.error == 0, answer.operation < counts.count { counts[Int(answer.operation)] += 1 }
    }

    private func tell() {
        let words = zip(Self.names, counts).dropFirst().map { "\($0) \($1)" }
        let line = Array("granted: \(words.joined(separator: ", "))\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
    }
}

/// Answers as no keeper of ours gives them, to a node that pulls the roster.
func fuzzAnswers(_ script: inout Script) {
    let kinds = Kinds.shared
    guard let (ours, theirs) = try? PacketSocket.pair() else { return }
    defer { _ = close(theirs) }
    var link = KeeperLink(ControlSocket(PacketSocket(owning: Descriptor(owning: ours))))
    var table = PeerTable(mtu: 1 + script.below(256) * 16, network: 0)
    while !script.isAtEnd {
        guard (try? link.post(table.request())) != nil else { return }
        drain(theirs)
        var answer = ipn_answer()
        answer.magic = UInt32(IPN_CONTROL_MAGIC)
        answer.version = UInt32(IPN_CONTROL_VERSION)
        answer.record_version = UInt32(IPN_RECORD_VERSION)
        answer.epoch = UInt64(script.below(3))
        answer.value = script.value(near: 1)
        answer.more = UInt32(script.below(2))
        var items: [ipn_roster_item] = []
        for _ in 0..<script.below(6) {
            var item = ipn_roster_item()
            script.fill(&item)
            item.event %= 8
            item.node_id %= 4
            items.append(item)
        }
        answer.count = script.below(8) == 0 ? UInt32(truncatingIfNeeded: script.word()) : UInt32(items.count)
        var descriptors: [CInt] = []
        if script.below(2) == 0 {
            for item in items { descriptors += kinds.given(item) }
        } else {
            descriptors = (0..<script.below(16)).map { _ in kinds.all[script.below(kinds.all.count)] }
        }
        withUnsafeBytes(of: answer) { head in
            items.withUnsafeBytes { tail in
                let parts = [
                    iovec(iov_base: UnsafeMutableRawPointer(mutating: head.baseAddress), iov_len: head.count),
                    iovec(iov_base: UnsafeMutableRawPointer(mutating: tail.baseAddress), iov_len: tail.count),
                ]
                _ = linux_send(theirs, parts, 2, descriptors, descriptors.count, CInt(MSG_DONTWAIT))
            }
        }
        do throws(Errno) {
            _ = try table.apply(try link.takePosted(waiting: true))
        } catch {
            break
        }
    }
    for ear in table.newEars {
        _ = close(ear.reader)
        _ = close(ear.writer)
    }
}

/// Descriptors of every kind that somebody may hand over, made once.
private final class Kinds: @unchecked Sendable {
    // Sendable: libFuzzer runs one input after the other, in one thread.
    static let shared: Kinds = {
        signal(SIGPIPE, SIG_IGN)
        return try! Kinds()
    }()

    let all: [CInt]
    private let marker: CInt
    private let directory: String

    private init() throws {
        var template = Array("/tmp/ipn-fuzz-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno.ioError }
        directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        marker = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0)
        let path = "\(directory)/marker"
        _ = try withSocketAddress(path) { [marker] address, length in linux_bind(marker, address, length) }
        let region = try SharedMemory(name: "region", size: NodeRegion.size, sealedAgainstMapping: true)
        let pool = try SharedMemory(name: "pool", size: 1 << 20, sealedAgainstMapping: false)
        let header = pool.mapping.base.assumingMemoryBound(to: ipn_pool_header.self)
        header.pointee.magic = UInt64(IPN_POOL_MAGIC)
        header.pointee.record_version = UInt32(IPN_RECORD_VERSION)
        header.pointee.node_id = 1
        header.pointee.slots_per_class = 8
        let handle = try Handle()
        try handle.name(rendezvous: path)
        let bell = try Bell()
        all = [
            try Descriptor.open(path, flags: O_PATH).release(), try region.readOnlyDescriptor().release(),
            try pool.readOnlyDescriptor().release(), try bell.descriptor.duplicate().release(), try handle.clapper().release(),
            try handle.descriptor.duplicate().release(), memfd_create("unsealed", UInt32(MFD_CLOEXEC)),
            try Descriptor.open("/dev/null", flags: O_RDWR).release(), socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0),
        ]
    }

    /// What a request brings along, rightly.
    func fitting(_ operation: UInt32) -> [CInt] {
        switch ipn_operation(operation) {
        case IPN_OP_HELLO: [all[0]]
        case IPN_OP_CONNECT: [all[1], all[3], all[3], all[4], all[5]]
        case IPN_OP_POOL: [all[2]]
        case IPN_OP_SHOW: [all[5], all[4]]
        default: []
        }
    }

    /// What an answer's record brings along, rightly.
    func given(_ item: ipn_roster_item) -> [CInt] {
        switch ipn_roster_event(item.event) {
        case IPN_EVENT_JOIN:
            [all[1], all[3], all[3], all[4]] + (item.flags & UInt32(IPN_MEMBER_IS_HEARD) != 0 ? [all[4], all[4]] : [])
        case IPN_EVENT_POOL: item.descriptors > 0 ? [all[2]] : []
        case IPN_EVENT_KEEPER: [all[4], all[4]]
        default: []
        }
    }

    var options: ipn_options {
        ipn_options(protocol: UInt32(IPN_BROADCAST), mtu: 1514, node_limit: 4, pool_size: 8, flags: 0, mode: 0o777, history: 2, persist: 0)
    }

    func keeper(first: consuming Descriptor) throws(Errno) -> Keeper {
        let listener = try systemCall { socket(AF_UNIX, CInt(SOCK_SEQPACKET.rawValue | SOCK_NONBLOCK.rawValue), 0) }
        return try Keeper(
            marker: Descriptor(owning: try systemCall { dup(marker) }), markerPath: Descriptor(owning: try systemCall { dup(all[0]) }),
            listener: Descriptor(owning: listener), rendezvous: "/nonexistent/door", first: first)
    }
}

private func isReadable(_ raw: CInt) -> Bool {
    var set = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
    return poll(&set, 1, 0) > 0
}

private func drain(_ raw: CInt, _ look: (ipn_answer) -> Void = { _ in }) {
    let socket = PacketSocket(owning: Descriptor(owning: dup(raw)))
    withUnsafeTemporaryAllocation(byteCount: ControlSocket.packetSize, alignment: 16) { buffer in
        while let packet = try? socket.receive(into: buffer, flags: CInt(MSG_DONTWAIT)), packet.length > 0 {
            if packet.length >= MemoryLayout<ipn_answer>.size { look(buffer.loadUnaligned(as: ipn_answer.self)) }
        }
    }
}
