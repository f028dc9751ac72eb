import CIPN
import CLinux
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

extension Keeper {
    /// Receives one request and answers it.
    /// - Returns: false where the client has hung up.
    func answerOne(_ member: Member) throws(Errno) -> Bool {
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
            given = try greet(member, descriptors: &descriptors, &answer)
        case IPN_OP_BIND:
            answer.value = isStarting ? 1 : 0
            try bind(member, request, &descriptors)
            if let handle = descriptors.next() { member.show(handle) }
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
        _ member: Member, descriptors: inout DescriptorList, _ answer: inout ipn_answer
    ) throws(Errno) -> [CInt] {
        guard let raw = descriptors.next() else { throw Errno.notPermitted }
        defer { Disposal.close(raw) }
        switch HandedKind(of: raw) {
        case .path:
            guard marker.isReached(by: raw) else { throw Errno.permissionDenied }
        case .datagramSocket:
            // The socket itself: a file could have any number.
            guard let owner = owner(of: raw) else { throw Errno.permissionDenied }
            admit(member, claiming: owner, &answer)
        default:
            throw Errno.permissionDenied
        }
        member.hasGreeted = true
        answer.options = options
        return [pageReader.raw, marker.socket.raw, marker.pathNumber]
    }

    func rights(of member: Member) throws(Errno) -> Rights {
        Rights(marker: try marker.status(), peer: member.peer)
    }

    private func bind(_ member: Member, _ request: ipn_request, _ descriptors: inout DescriptorList) throws(Errno) {
        let object = request.want & UInt32(IPN_WANT_POLICY) != 0 ? descriptors.next() : nil
        policyObject = object.map { Descriptor(owning: $0) }
        guard !member.isBound, member.node == nil else { throw Errno(rawValue: EISCONN) }
        if isStarting {
            // The first of all binds. Its maker made the marker, so it is the owner's; another may be faster.
            if !isMaker(member) { guard try rights(of: member).manage else { throw Errno.notPermitted } }
            try makeNetwork(request.options, member, policy: object)
            isStarting = false
        } else {
            if member.claimed?.isBound != true { guard try rights(of: member).manage else { throw Errno.notPermitted } }
            try checkProtocol(request.options.protocol)
        }
        member.isBound = true
    }

    private func checkProtocol(_ wanted: UInt32) throws(Errno) {
        guard [UInt32(IPN_ANY), UInt32(IPN_PROTOCOL_OF_POLICY), options.protocol].contains(wanted) else { throw Errno(rawValue: EPROTO) }
    }

    private func makeNetwork(_ wanted: ipn_options, _ member: Member, policy object: CInt?) throws(Errno) {
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

    private func connect(
        _ member: Member, _ request: ipn_request, descriptors: inout DescriptorList, _ answer: inout ipn_answer
    ) throws(Errno) {
        guard member.node == nil else { throw Errno(rawValue: EISCONN) }
        guard !isStarting else { throw Errno(rawValue: ECONNREFUSED) }
        forgetUnanswered(call: request.epoch, of: member)
        guard !isAwaitingReturns else { throw Errno.resourceTemporarilyUnavailable }
        try checkProtocol(request.options.protocol)
        let rights = if let claimed = claimedRights(member) { claimed } else { try rights(of: member) }
        let receives = request.want & UInt32(IPN_WANT_RECEIVE) != 0 && rights.receive
        let sends = request.want & UInt32(IPN_WANT_SEND) != 0 && rights.send
        let observes = request.want & UInt32(IPN_WANT_OOB) != 0 && !rights.isEmpty
        guard receives || sends || observes else { throw Errno.permissionDenied }
        guard (4...5).contains(descriptors.count) else { throw Errno.invalidArgument }
        // Who takes a ghost's place adds nobody.
        if member.claimed?.isGhost != true { try checkNodes(of: member.peer.user) }
        if router != nil { giveUpClaim(member) }
        let node = try handedIn(
            &descriptors, request, member, nodeID: newNodeID(), receives: receives, sends: sends)
        if receives || sends {
            // An observer takes no port.
            if let claimed = claimedPort(member) {
                node.port = claimed
            } else {
                node.port = try takePort(wish: Int(request.port), member, receives: receives, sends: sends)
            }
            do throws(Errno) {
                try enter(node, member, call: request.epoch)
                if let router { try openPort(router, member, node) }
            } catch {
                usedPorts.remove(node.port)
                throw error
            }
        }
        step("keeper: on the roll, not announced")
        member.node = node
        member.handlesOutOfBand = member.handlesOutOfBand || observes
        if receives || sends {
            nodes[node.nodeID] = node
            roster.record(IPN_EVENT_JOIN, node.nodeID)
            announceRoster()
            // After the new version is out: a writer that has not seen it cannot have gone beyond these heads.
            for writer in nodes.values { node.starts[writer.nodeID] = writer.head }
            node.starts.merge(claimedPlaces(member)) { _, place in place }
            if let router { announcePort(router, member) }
        }
        announceCounts()
        answer.value = node.nodeID
        answer.port = Int32(node.port)
        answer.options = options
        answer.rights = node.flags | (observes ? UInt32(IPN_WANT_OOB) : 0)
    }

    /// The node that is made of what its owner hands in. It has no port yet.
    func handedIn(
        _ descriptors: inout DescriptorList, _ request: ipn_request, _ member: Member, nodeID: UInt64, receives: Bool, sends: Bool
    ) throws(Errno) -> ConnectedNode {
        guard let region = descriptors.next(), let readerBell = descriptors.next(), let writerBell = descriptors.next(),
            let clapper = descriptors.next()
        else { throw Errno.invalidArgument }
        guard case .memory = HandedKind(of: region), case .eventCounter = HandedKind(of: readerBell),
            case .eventCounter = HandedKind(of: writerBell), case .datagramSocket = HandedKind(of: clapper)
        else {
            for raw in [region, readerBell, writerBell, clapper] { Disposal.close(raw) }
            throw Errno.invalidArgument
        }
        let regionDescriptor = Descriptor(owning: region)
        let readers = Bell(owning: Descriptor(owning: readerBell))
        let writers = Bell(owning: Descriptor(owning: writerBell))
        let clapperDescriptor = Descriptor(owning: clapper)
        if let handle = descriptors.next() { member.show(handle) }
        guard try SharedMemory.sealedSize(of: regionDescriptor) == NodeRegion.size else { throw Errno.invalidArgument }
        let node = ConnectedNode(
            nodeID: nodeID, userID: member.peer.user, receives: receives, sends: sends, region: regionDescriptor,
            readerBell: readers, writerBell: writers, clapper: clapperDescriptor, key: request.key)
        if member.peer.user != geteuid() { try node.makeKeeperBells() }
        return node
    }

    private func takePort(wish: Int, _ member: Member, receives: Bool, sends: Bool) throws(Errno) -> Int {
        let limit = Int(options.node_limit)
        let candidates = wish >= 0 ? wish..<max(wish, min(wish + 1, limit)) : 0..<limit
        guard usedPorts.count < limit, var port = candidates.first(where: { !usedPorts.contains($0) }) else {
            throw Errno(rawValue: EADDRNOTAVAIL)
        }
        if let router { port = try askForPort(router, port, member, receives: receives, sends: sends) }
        usedPorts.insert(port)
        return port
    }

    private func acceptPool(_ member: Member, descriptors: inout DescriptorList) throws(Errno) -> Int {
        guard let node = member.node, node.sends else { throw Errno.invalidArgument }
        // Asked for again, where the answer went down with another keeper.
        if node.pool != nil, let cursor = node.cursor { return cursor }
        guard let raw = descriptors.next() else { throw Errno.invalidArgument }
        let pool = try checkedPool(raw)
        try checkMemory(of: node.userID)
        guard let cursor = (0..<Int(IPN_CURSORS)).first(where: { !usedCursors.contains($0) }) else {
            throw Errno(rawValue: ENOBUFS)
        }
        if let router { try router.listen(to: node, pool: pool, cursor: cursor) }
        take(pool: pool, of: node, cursor: cursor)
        note(node)
        step("keeper: pool on the roll, not announced")
        roster.record(IPN_EVENT_POOL, node.nodeID)
        announceRoster()
        return cursor
    }

    /// Memory that was handed in as a slot pool.
    func checkedPool(_ raw: CInt) throws(Errno) -> Descriptor {
        guard case .memory = HandedKind(of: raw) else {
            Disposal.close(raw)
            throw Errno.invalidArgument
        }
        let pool = Descriptor(owning: raw)
        guard try SharedMemory.sealedSize(of: pool) > Int(IPN_PAGE) else { throw Errno.invalidArgument }
        return pool
    }

    func take(pool: consuming Descriptor, of node: ConnectedNode, cursor: Int) {
        usedCursors.insert(cursor)
        node.cursor = cursor
        node.pool = consume pool
    }

    private func shutDown(_ member: Member, how: UInt64) throws(Errno) {
        guard let node = member.node else { throw Errno(rawValue: ENOTCONN) }
        let before = node.flags
        if how & 1 != 0 {
            node.receives = false
            if let router, let port = router.port(of: node) { router.closeQueue(of: port) }
            forgetDebts(to: node.nodeID)
        }
        if how & 2 != 0 { node.sends = false }
        guard node.flags != before else { return }
        note(node)
        roster.record(IPN_EVENT_CHANGE, node.nodeID)
        announceRoster()
        announceCounts()
    }
}
