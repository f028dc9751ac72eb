import CIPN
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

extension Keeper {
    /// Receives one request and answers it.
    /// - Returns: false where the client has hung up.
    func answerOne(_ member: Member) throws(Errno) -> Bool {
        // Whoever asks again has received what it asked for before, or does not behave.
        if member.control.socket.hasUnread { throw Errno(rawValue: EPROTO) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ControlSocket.requestSize, alignment: 16)
        defer { buffer.deallocate() }
        var answer = ipn_answer()
        var packet: PacketSocket.Packet
        do throws(Errno) {
            packet = try member.control.socket.receive(into: buffer, flags: CInt(MSG_DONTWAIT))
        } catch {
            // It is our limit that was met: it shall not take it for its own.
            guard error == .tooManyOpenFiles else { throw error }
            answer.error = ENFILE
            try member.control.send(answer, items: [Never]())
            return true
        }
        if packet.length == 0 { return false }
        let size = MemoryLayout<ipn_request>.size
        let request = packet.length >= size ? buffer.loadUnaligned(as: ipn_request.self) : ipn_request()
        answer.operation = request.operation
        guard packet.length >= size,
            ControlSocket.isOurs(
                magic: request.magic, version: request.version, recordVersion: request.record_version)
        else {
            // The answer carries our versions: the client names both in its message.
            answer.error = EPROTO
            try member.control.send(answer, items: [Never]())
            return false
        }
        if let refusal = member.refusal {
            answer.error = refusal.rawValue
            try member.control.send(answer, items: [Never]())
            return false
        }
        do throws(Errno) {
            try handle(request, Array(buffer[size..<packet.length]), from: member, descriptors: &packet.descriptors, &answer)
        } catch {
            answer.error = error.rawValue
            try member.control.send(answer, items: Array(complaint.utf8))
            complaint = ""
        }
        return true
    }

    /// Does what is asked and sends the answer; what it throws becomes the answer's error.
    /// - Parameter payload: what followed the request.
    private func handle(
        _ request: ipn_request, _ payload: [UInt8], from member: Member, descriptors: inout DescriptorList, _ answer: inout ipn_answer
    ) throws(Errno) {
        let operation = ipn_operation(rawValue: request.operation)
        guard member.hasGreeted || operation == IPN_OP_HELLO || operation == IPN_OP_RETURN else { throw Errno.notPermitted }
        var given: [CInt] = []
        switch operation {
        case IPN_OP_HELLO:
            given = try greet(member, request, descriptors: &descriptors, &answer)
        case IPN_OP_BIND:
            answer.value = isStarting ? 1 : 0
            try bind(member, request, &descriptors)
            answer.options = options
        case IPN_OP_CONNECT:
            try connect(member, request, descriptors: &descriptors, &answer)
        case IPN_OP_PULL:
            return try answerPull(member, request, answer)
        case IPN_OP_POOL:
            answer.value = UInt64(try acceptPool(member, descriptors: &descriptors))
        case IPN_OP_SHUTDOWN:
            try shutDown(member, how: request.value)
        case IPN_OP_SET:
            try setOption(member, request)
        case IPN_OP_GET:
            try getOption(member, request, &answer)
        case IPN_OP_DRAINED:
            if let reader = member.node { drained(request.value, by: reader.nodeID) }
        case IPN_OP_SHOW:
            guard member.isBound, let handle = descriptors.next(), let clapper = descriptors.next() else { throw Errno.invalidArgument }
            try member.show(handle, clapper: clapper, key: request.key)
        case IPN_OP_LEAVE:
            leave(member)
        case IPN_OP_SETTLE:
            settleClaim(member)
        case IPN_OP_STATUS:
            return try answerStatus(member, request, answer)
        case IPN_OP_DELAYS:
            return try answerDelays(member, request, answer)
        case IPN_OP_POLICY_SET:
            try setPolicyOption(member, request, payload)
        case IPN_OP_POLICY_GET:
            return try member.control.send(answer, items: try getPolicyOption(member, request))
        case IPN_OP_POLICY_IOCTL:
            return try member.control.send(answer, items: try control(member, request, payload))
        case IPN_OP_NEWS:
            let news = try takeNews(member, &answer)
            return try member.control.send(answer, items: news)
        case IPN_OP_RETURN:
            given = try takeBack(member, request, descriptors: &descriptors, &answer)
        default:
            throw Errno.noFunction
        }
        step("keeper: done, not answered")
        try member.control.send(answer, items: [Never](), descriptors: given)
        step("keeper: answered")
        if operation == IPN_OP_CONNECT { noteAnswered(member) }
    }

    private func greet(
        _ member: Member, _ request: ipn_request, descriptors: inout DescriptorList, _ answer: inout ipn_answer
    ) throws(Errno) -> [CInt] {
        guard !member.hasGreeted else { throw Errno(rawValue: EISCONN) }
        try checkUnread(of: member.peer.user)
        guard let proof = descriptors.next() else { throw Errno.notPermitted }
        switch HandedKind(of: proof.raw) {
        case .path:
            guard marker.isReached(by: proof.raw) else { throw Errno.permissionDenied }
            try checkHasPart(member, wantsToBind: request.want & UInt32(IPN_WANT_MANAGE) != 0)
        case .datagramSocket:
            // The socket itself: a file could have any number.
            guard let owner = owner(of: proof.raw, shownBy: member) else { throw Errno.permissionDenied }
            admit(member, claiming: owner, &answer)
        default:
            throw Errno.permissionDenied
        }
        member.hasGreeted = true
        answer.options = options
        return [pageReader.raw, marker.socket.raw, marker.pathNumber]
    }

    /// Who is on the network is nobody's business who has no part in it, and whoever holds the marker's socket keeps the name taken.
    /// - Throws: `EACCES` from who has no right at all; `EPERM` where it is the one to bind that is asked for.
    func checkHasPart(_ member: Member, wantsToBind: Bool = false) throws(Errno) {
        if isMaker(member) { return }
        guard try rights(of: member).isEmpty else { return }
        throw wantsToBind ? .notPermitted : .permissionDenied
    }

    func rights(of member: Member) throws(Errno) -> Rights {
        Rights(marker: try marker.status(), peer: member.peer)
    }

    private func bind(_ member: Member, _ request: ipn_request, _ descriptors: inout DescriptorList) throws(Errno) {
        guard !member.isBound, member.node == nil else { throw Errno(rawValue: EISCONN) }
        let brings = request.want & UInt32(IPN_WANT_POLICY) != 0
        if isStarting {
            // The first of all binds, whose options make the network, is its maker's, who made the marker. Who is faster comes again.
            guard isMaker(member) else { throw Errno.resourceBusy }
            try makeNetwork(request.options, member, policy: brings ? descriptors.next() : nil)
            isStarting = false
        } else {
            if member.claimed?.isBound != true { guard try rights(of: member).manage else { throw Errno.notPermitted } }
            try checkProtocol(request.options.protocol)
            // The network has one.
            if brings { _ = descriptors.next() }
        }
        member.isBound = true
    }

    func checkProtocol(_ wanted: UInt32) throws(Errno) {
        guard [UInt32(IPN_ANY), UInt32(IPN_PROTOCOL_OF_POLICY), options.protocol].contains(wanted) else { throw Errno(rawValue: EPROTO) }
    }

    private func makeNetwork(_ wanted: ipn_options, _ member: Member, policy object: consuming HandedDescriptor?) throws(Errno) {
        var wanted = wanted
        guard (1...UInt32(IPN_MTU_MAX)).contains(wanted.mtu), (1...UInt32(IPN_NUMNODES_MAX)).contains(wanted.node_limit),
            (1...UInt32(IPN_MSGPOOLSIZE_MAX)).contains(wanted.pool_size), wanted.history <= UInt32(IPN_HISTORY_MAX)
        else { throw Errno.invalidArgument }
        if wanted.protocol != UInt32(IPN_BROADCAST) { try makeRouter(&wanted, member, object) }
        options = wanted
        writeOptions()
        announceRoster()
        NetworkPage(base: page.mapping.base).counts.storeReleasing(counts.packed)
    }

    /// What everybody can see of the options.
    func writeOptions() {
        let record = page.mapping.base.assumingMemoryBound(to: ipn_network_page.self)
        record.pointee.protocol = options.protocol
        record.pointee.mtu = options.mtu
        record.pointee.node_limit = options.node_limit
        record.pointee.pool_size = options.pool_size
        record.pointee.flags = options.flags
        record.pointee.history = options.history
        record.pointee.persist = options.persist
        record.pointee.mode = options.mode
        record.pointee.process_space = processSpace
        record.pointee.door = door
        record.pointee.record_version = UInt32(IPN_RECORD_VERSION)
        record.pointee.magic = UInt64(IPN_NETWORK_MAGIC)
    }
}
