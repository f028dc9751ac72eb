import CIPN
import Glibc
import IPNControl
import IPNRing
package import IPNSystem
import SystemPackage

extension Node {
    /// Makes the network at `path`, or joins it for management, which needs `x`.
    ///
    /// A file that is left of a network whose every party is gone is taken over, by its owner, with its mode.
    ///
    /// - Parameters:
    ///   - path: of the network's file.
    ///   - wanted: for a new network; a network that exists keeps what it has.
    /// - Throws: `EISCONN` where the node is bound or connected; `EPERM` without `x`; `EINVAL` for options out of range;
    ///   `ECONNREFUSED` where something else is at the path; `EADDRINUSE` where the network lives without a keeper that
    ///   could be reached; the path's own errors.
    public func bind(_ path: String, options wanted: NetworkOptions = NetworkOptions()) throws(IPNError) {
        try bind(to: Path(path), options: wanted)
    }

    /// The same for a path that may be no text.
    package func bind(to path: Path, options wanted: NetworkOptions) throws(IPNError) {
        let name = path.description
        guard membership == nil else { throw IPNError(Errno(rawValue: EISCONN), name, "the node is on a network already") }
        try wanted.check(name)
        try checkUserLimits()
        let membership = try attach(path, creating: wanted)
        self.membership = membership
        networkPath = path
        isBound = true
        guard isPolled else { return }
        do throws(Errno) { try showHandle(membership) } catch { throw failure(error, "its keeper cannot be shown the descriptor: \(error)") }
    }

    /// A program that inherits the handle of a bound node is to find the network, and to be let in: after fork, exec and the end of
    /// the process that bound.
    func showHandle(_ membership: Membership) throws(Errno) {
        let wakers = try prepareWakers(membership.rendezvous)
        membership.attend(wakers)
        var request = ipn_request(IPN_OP_SHOW)
        request.key = wakers.key
        _ = try membership.call(request, descriptors: [wakers.handle, wakers.clapper])
    }

    /// The keeper that a bind starts inherits them, and would have nobody to complain to.
    private func checkUserLimits() throws(IPNError) {
        do throws(UserLimits.Malformed) {
            _ = try UserLimits.fromEnvironment()
        } catch {
            throw IPNError(.invalidArgument, "\(error.variable)=\(error.value)", "no limit for a user", remedy: error.remedy)
        }
    }

    /// Joins the data flow.
    ///
    /// Without `r` on the path the node does not receive, without `w` it does not send.
    ///
    /// - Parameters:
    ///   - path: the network; nil for the one the node is bound to.
    ///   - directions: which ways to take part at most.
    ///   - port: the port to take; nil for the lowest that is free.
    ///   - history: whether to receive what writers kept for those who join later, where the network keeps anything.
    ///   - window: this node's own limit on pending messages, below the network's; nil for the network's.
    ///   - protocolNumber: what the network must be of; `IPN_ANY` (0) for any.
    /// - Throws: `EISCONN`; `EPROTO` for another protocol; `EINVAL` for another path than the bound one or a window below 1; `EACCES` where nothing is left to do;
    ///   `EADDRNOTAVAIL` without a free port; `EDQUOT` where the user has as many nodes there as one may have; `ENOENT`, `ECONNREFUSED` where no network is;
    ///   `EADDRINUSE` as `bind`.
    public func connect(
        _ path: String? = nil, directions: Directions = .both, port: Int? = nil, history: Bool = false, window: Int? = nil,
        protocolNumber: Int = 0
    ) throws(IPNError) {
        try connect(
            to: path.map { Path($0) }, directions: directions, port: port, history: history, window: window, protocolNumber: protocolNumber)
    }

    /// The same for a path that may be no text.
    package func connect(
        to path: Path?, directions: Directions, port: Int?, history: Bool, window: Int?, protocolNumber: Int
    ) throws(IPNError) {
        guard region == nil else { throw failure(Errno(rawValue: EISCONN), "the node is connected already") }
        if let bound = networkPath, let path, path != bound {
            throw IPNError(.invalidArgument, path.description, "the node is bound to \(bound)")
        }
        guard let path = path ?? networkPath else {
            throw IPNError(Errno(rawValue: EDESTADDRREQ), "", "a node that is not bound needs the network's path to connect")
        }
        if let window, window < 1 { throw IPNError(.invalidArgument, path.description, "a window of \(window) messages", remedy: "1 or more") }
        if let port, !(0..<Int(IPN_NUMNODES_MAX)).contains(port) {
            throw IPNError(.addressNotAvailable, path.description, "no network has a port \(port)", remedy: "0 to \(IPN_NUMNODES_MAX - 1)")
        }
        var joined: Membership?
        let call = clockNanoseconds()
        for attempt in 0..<100 where joined == nil {
            let membership: Membership
            if let bound = self.membership { membership = bound } else { membership = try attach(path, creating: nil) }
            do throws(Errno) {
                try join(
                    membership, directions: directions.intersection(self.directions), port: port, history: history, window: window,
                    protocolNumber: protocolNumber, call: call)
                joined = membership
            } catch {
                // The network ended, or lost its keeper, between our finding it and our joining.
                if error == .brokenPipe && self.membership == nil && attempt < 99 { continue }
                throw error == .permissionDenied ? IPNError.denied(directions, path) : IPNError.joining(error, path)
            }
        }
        self.membership = joined
        networkPath = path
        // Asked for before there was a keeper to tell; changes since the join are seen by the first look.
        if wantsCounts { try tellWantsNumberOfNodes(true) }
    }

    /// Reaches the network's keeper; binds where `creating` is given.
    private func attach(_ path: Path, creating options: NetworkOptions?) throws(IPNError) -> Membership {
        let wanted = options?.record()
        let policy = try PolicyObject(for: options, at: path)
        do throws(Errno) {
            // A network may end between the moment it is found and the bind: then it is made anew.
            var last = Errno.connectionRefused
            for _ in 0..<100 {
                do throws(Errno) {
                    var attachment = try Attachment.open(path, creating: wanted)
                    guard let wanted else {
                        let options = attachment.options
                        return adopt(try Membership(path: path, attachment: attachment, options: options))
                    }
                    var request = ipn_request(IPN_OP_BIND)
                    request.options = wanted
                    let answer = try policy.bind(&attachment, request)
                    madeNetwork = answer.value == 1
                    return adopt(try Membership(path: path, attachment: attachment, options: answer.options, isBound: true))
                } catch {
                    last = error
                    guard error != .resourceBusy else {
                        // Its maker, whose options it is to have, is about to bind.
                        pause(microseconds: 20_000)
                        continue
                    }
                    guard error == .brokenPipe || error == .connectionReset else { throw error }
                }
            }
            throw last == .resourceBusy ? Errno.addressInUse : .connectionRefused
        } catch {
            if wanted != nil && error == .noSuchFileOrDirectory && !path.bytes.isEmpty {
                if let root = RuntimeFolder.missingRoot {
                    throw IPNError(
                        error, root, "the folder for keepers' doors does not exist",
                        remedy: "make it, or set \(RuntimeFolder.rootVariable) to another")
                }
                throw IPNError(
                    error, path.description, "its folder does not exist, or it is a link that leads nowhere",
                    remedy: "make the folder first, or take another path")
            }
            if policy.hasCrashed { NetworkMaker.clear(path) }
            if let refusal = policy.refusal(error) { throw refusal }
            throw IPNError.joining(error, path)
        }
    }

    private func adopt(_ membership: Membership) -> Membership {
        options = NetworkOptions(membership.options)
        return membership
    }

    /// - Parameter call: the same number where it has to be tried again, as the answer went down with a keeper.
    func join(
        _ membership: Membership, directions: Directions, port: Int?, history: Bool, window: Int?, protocolNumber: Int,
        call: UInt64 = clockNanoseconds()
    ) throws(Errno) {
        try requireMemory(1 << 20)
        let region = try OwnRegion()
        let wakers = try prepareWakers(membership.rendezvous)
        let memory = try region.memory.readOnlyDescriptor()
        var request = ipn_request(IPN_OP_CONNECT)
        request.options.protocol = UInt32(protocolNumber)
        request.port = CInt(port ?? Int(IPN_PORTNO_ANY))
        if directions.contains(.receive) { request.want |= UInt32(IPN_WANT_RECEIVE) }
        if directions.contains(.send) { request.want |= UInt32(IPN_WANT_SEND) }
        if wantsCounts || observes { request.want |= UInt32(IPN_WANT_OOB) }
        request.key = wakers.key
        request.epoch = call
        membership.attend(wakers, region)
        step("join: about to ask")
        let answer = try membership.connect(
            request, [memory.raw, wakers.readerBell, wakers.writerBell, wakers.clapper, wakers.handle])
        step("join: connected, no cursor placed")
        nodeID = answer.value
        NodeRegion.initialize(region.memory.mapping.base, nodeID: nodeID)
        self.port = answer.port >= 0 ? Int(answer.port) : nil
        var granted: Directions = []
        if answer.rights & UInt32(IPN_WANT_RECEIVE) != 0 { granted.insert(.receive) }
        if answer.rights & UInt32(IPN_WANT_SEND) != 0 { granted.insert(.send) }
        self.directions = granted
        if granted.contains(.receive) || wantsCounts || observes {
            // Places our cursors: what is sent from here on is ours to receive.
            let most = options.poolSize + (history ? options.history : 0)
            let limit = min(window ?? options.poolSize, most)
            intake = box(
                Intake(
                    membership: membership, region: region, wakers: wakers, limit: limit, replayLimit: min(window ?? most, most),
                    wantsHistory: history))
            if wantsCounts { intake?.pointee.toldCounts = 0 }
            if isPolled {
                // A program may sleep in a poll before it has received anything.
                intake?.pointee.isPolled = true
                intake?.pointee.tellPollers()
            }
        }
        self.region = region
        sendLimit = granted.contains(.send) ? options.mtu : -1
    }

    /// Gives up receiving, sending or both, for good. Legal in any state. See shutdown(2).
    public func shutdown(_ directions: Directions) throws(IPNError) {
        let given = self.directions.intersection(directions)
        self.directions.subtract(directions)
        guard region != nil, let membership, !given.isEmpty else { return }
        // Another thread may be in a call: it is woken, and what it uses stays until `close`.
        if given.contains(.receive) { wakers?.endReceiving() }
        if given.contains(.send) {
            sendLimit = -1
            wakers?.endSending()
        }
        do throws(Errno) {
            _ = try membership.call(ipn_request(IPN_OP_SHUTDOWN, value: UInt64(given.rawValue)))
        } catch {
            throw failure(error, "cannot tell the keeper of the shutdown: \(error)")
        }
    }
}
