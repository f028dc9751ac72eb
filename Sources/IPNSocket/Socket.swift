import CIPN
import CLinux
import Glibc
package import IPN
package import IPNSystem
private import Synchronization
package import SystemPackage

/// A socket of the family AF_IPN: the states, options and errnos of sockets over a `Node`.
///
///     new --bind--> bound --connect--> connected        shutdown is legal in every state, and for good
///      `-------------connect--------------^
///
/// Any number of threads: senders are served in turn, receivers too, and the rest happens under a lock of its own.
package final class Socket: @unchecked Sendable {
    // Sendable: `state` is touched with `control` held; the node's two sides with `sending` and `receiving` held, or by the one
    // that sleeps there.

    /// What may be set before there is a network, and is read back in every state.
    struct State {
        var options = NetworkOptions()
        var isBound = false
        var isConnected = false
        var port: Int?
        var description: [UInt8] = []
        var handlesOutOfBand = false
        var wantsNumberOfNodes = false
        var window: Int?
        var replays = false
        /// What was shut down, also before connect.
        var shut: Node.Directions = []
        var toldLost: UInt64 = 0
    }

    let node: Node
    let control = Lock()
    let sending = Lock()
    let receiving = Lock()
    /// Whose call has the node's sending side without holding `sending`: it sleeps. This and what follows with `sending` held.
    var sleepingSender: pthread_t?
    /// Such calls so far.
    var turns: UInt = 0
    /// A program has a slot in its hands.
    var loan: Loan?
    var loans: UInt = 0
    /// Somebody was told that there is no room, and was not there for readers to ring.
    var owesPollers = false
    /// Whose call has the node's receiving side without holding `receiving`. This and what follows with `receiving` held.
    var sleepingReceiver: pthread_t?
    /// Such calls so far.
    var naps: UInt = 0
    /// Calls that a signal handler has overtaken, and that were not yet recalled: of each side, with its lock held.
    var overtakenSends = 0
    var overtakenReceives = 0
    /// What is to be done to the receiving side when it wakes up.
    var postponed: [() -> Void] = []
    /// No other socket of this process had it.
    let serial: UInt
    private nonisolated(unsafe) static var lastSerial: UInt = 0
    private let hasLeft = Atomic(false)
    var state = State()
    /// What a forked child finds of it: never half written, whatever other threads do. With `inheriting` held.
    private var inheritable = State()
    private static let inheriting = Lock(isHeldOverForks: true)
    /// Of what is sent. With `sending` held.
    var tag: UInt64 = 0
    /// The program's description of the handle, under a number of our own: its flags and time-outs are ours.
    let handle: Descriptor
    /// The protocol that was asked for: `IPN_ANY`, or what the network has to be.
    let protocolNumber: Int

    /// - Parameter handle: a datagram socket without a name, already shown to the program.
    package init(handle: borrowing Descriptor, protocolNumber: Int) throws(Errno) {
        let own = try handle.duplicate()
        node = Node(handle: try Handle(owning: try handle.duplicate()))
        self.handle = own
        serial = Self.nextSerial()
        self.protocolNumber = protocolNumber
        state.options.protocolNumber = protocolNumber
        inheritable = state
    }

    /// Takes up a socket that was inherited through exec, came over a Unix socket, or is a forked child's.
    ///
    /// - Parameters:
    ///   - old: the handle as it was inherited.
    ///   - parent: what the parent had, in a forked child.
    package init(claiming old: borrowing Descriptor, parent: Socket? = nil) throws(Errno) {
        let fresh = try Handle.socketLike(old.raw)
        let spare = try fresh.duplicate()
        node = Node(handle: try Handle(owning: fresh))
        serial = Self.nextSerial()
        if let parent {
            // What was told to nobody else is known from the parent's memory, which is ours now.
            state = parent.inheritable
            tag = parent.tag
            protocolNumber = parent.protocolNumber
        } else {
            protocolNumber = Int(IPN_ANY)
        }
        guard parent == nil || state.isBound || state.isConnected else {
            handle = spare
            inheritable = state
            return
        }
        let claim: Claim
        do throws(IPNError) { claim = try node.claim(old) } catch { throw error.errno }
        handle = claim.takesPlace ? try old.duplicate() : spare
        state.isBound = claim.isBound
        state.isConnected = claim.isConnected
        state.handlesOutOfBand = claim.handlesOutOfBand
        state.wantsNumberOfNodes = claim.wantsNumberOfNodes
        state.description = claim.description
        // Before it is connected nobody but its program knows what was shut down.
        if claim.isConnected { state.shut = Node.Directions.both.subtracting(claim.directions) }
        inheritable = state
    }

    private static func nextSerial() -> UInt {
        inheriting.lock()
        defer { inheriting.unlock() }
        lastSerial += 1
        return lastSerial
    }

    /// Whether what a descriptor was found to be is our handle's description: a socket has an inode of its own.
    func isDescription(of status: FileStatus) -> Bool { (try? handle.status())?.isSameFile(as: status) ?? false }

    /// A number for poll(2) that is the handle's as long as this lives, whatever the program closes.
    package var pollable: CInt { handle.raw }

    /// Makes the network, or joins it to manage it. See bind(2).
    /// - Throws: `EISCONN`, `EPERM`, `EPROTO`, `ECONNREFUSED`, `EADDRINUSE`, the path's own.
    package func bind(_ path: Path) throws(Errno) {
        try withState { state throws(Errno) in
            guard !state.isBound, !state.isConnected else { throw Errno(rawValue: EISCONN) }
            do throws(IPNError) { try node.bind(to: path, options: state.options) } catch { throw error.errno }
            state.isBound = true
            tellKeeper(state)
        }
    }

    /// Joins the data flow. See connect(2).
    /// - Parameter path: nil for the network that it is bound to.
    /// - Throws: `EISCONN`, `EINVAL` for another path than the bound one, `EDESTADDRREQ`, `EACCES`, `EADDRNOTAVAIL`, `EPROTO`,
    ///   `ECONNREFUSED`, the path's own.
    package func connect(_ path: Path?) throws(Errno) {
        try withState { state throws(Errno) in
            guard !state.isConnected else { throw Errno(rawValue: EISCONN) }
            var target = path
            if state.isBound, let path {
                guard isBoundTo(path) else { throw Errno.invalidArgument }
                target = nil
            }
            node.observes = state.handlesOutOfBand
            do throws(IPNError) {
                if state.handlesOutOfBand && state.wantsNumberOfNodes { try node.setWantsNumberOfNodes(true) }
                try node.connect(
                    to: target, directions: Node.Directions.both.subtracting(state.shut), port: state.port, history: state.replays,
                    window: state.window, protocolNumber: protocolNumber)
            } catch {
                throw error.errno
            }
            state.isConnected = true
            tellKeeper(state)
        }
    }

    /// Whatever leads to the network's file is its address: another name, and after a chdir(2) not the same one. What leads
    /// nowhere is what it was bound by.
    private func isBoundTo(_ path: Path) -> Bool {
        guard let other = try? FileStatus(path: path) else { return node.networkPath == path }
        return node.fileStatus?.isSameFile(as: other) ?? false
    }

    /// What was asked for before there was a keeper to tell. A network that has ended in this moment says so to the next call:
    /// this one has joined it.
    private func tellKeeper(_ state: State) {
        if !state.description.isEmpty { try? node.setDescription(bytes: state.description) }
    }

    /// Gives up receiving, sending or both, for good, in any state. See shutdown(2).
    /// - Parameter how: `SHUT_RD`, `SHUT_WR`, `SHUT_RDWR`.
    package func shutdown(_ how: CInt) throws(Errno) {
        guard (0...2).contains(how) else { throw Errno.invalidArgument }
        let directions = Node.Directions(rawValue: Int(how) + 1)
        try withState { state throws(Errno) in
            state.shut.formUnion(directions)
            do throws(IPNError) { try node.shutdown(directions) } catch { throw error.errno }
        }
    }

    /// The network's path; nil before bind and connect.
    package var path: Path? {
        control.lock()
        defer { control.unlock() }
        return node.networkPath
    }

    /// The network's protocol; before bind and connect the one that was asked for.
    package var protocolInUse: Int { path == nil ? protocolNumber : node.options.protocolNumber }

    /// Whether the network is gone.
    package var isHungUp: Bool { node.isNetworkGone }

    /// Whether it was closed, or is about to leave.
    package var isClosed: Bool { hasLeft.load(ordering: .acquiring) }

    /// Leaves, and wakes whoever sleeps in it. Who closes in a signal handler may have interrupted a call of its own: that finds
    /// all where it was, as long as it has this object.
    /// - Returns: the number of a loan that is still written to: its memory stays as long as this object.
    package func close() -> UInt? {
        // Before anybody is woken, who would else go on as if it were there.
        hasLeft.store(true, ordering: .releasing)
        node.interrupt()
        sending.lock()
        while let sleepingSender, !isOwn(sleepingSender) { _ = sending.wait(until: Deadline.never) }
        receiving.lock()
        while let sleepingReceiver, !isOwn(sleepingReceiver) { _ = receiving.wait(until: Deadline.never) }
        control.lock()
        let lent = loan?.number
        loan = nil
        if sleepingSender != nil || sleepingReceiver != nil {
            node.depart()
        } else if lent == nil {
            node.close()
        } else {
            node.leave()
        }
        control.unlock()
        receiving.unlock()
        sending.wakeWaiters()
        sending.unlock()
        return lent
    }

    /// A signal handler's call goes on with a side whose sleep it has interrupted. That side's lock is held.
    func overtake(_ overtaken: inout Int) {
        node.overtakeSleepers()
        overtaken += 1
        // Should this call not sleep. If it does, it takes that for itself.
        node.recallSleepers()
    }

    /// A sleep has ended, which may have been a handler's: the call that it has interrupted, if there still is one, looks again.
    func endSleep(_ overtaken: inout Int) {
        guard overtaken > 0 else { return }
        overtaken -= 1
        node.recallSleepers()
    }

    func isOwn(_ thread: pthread_t) -> Bool { pthread_equal(thread, pthread_self()) != 0 }

    func withState<Result>(_ body: (inout State) throws(Errno) -> Result) throws(Errno) -> Result {
        control.lock()
        defer {
            Self.inheriting.lock()
            inheritable = state
            Self.inheriting.unlock()
            control.unlock()
        }
        return try body(&state)
    }

    /// How long a call may take that was not told to return at once: what fcntl(2) and setsockopt(2) have set.
    func patience(_ flags: CInt, _ option: CInt) -> Duration? {
        if flags & CInt(MSG_DONTWAIT) != 0 || linux_is_nonblocking(handle.raw) != 0 { return .zero }
        var time = timeval()
        var length = socklen_t(MemoryLayout<timeval>.size)
        guard getsockopt(handle.raw, SOL_SOCKET, option, &time, &length) == 0, time.tv_sec != 0 || time.tv_usec != 0 else {
            return nil
        }
        return .seconds(time.tv_sec) + .microseconds(time.tv_usec)
    }
}
