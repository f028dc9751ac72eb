import CIPN
import Glibc
package import IPN
import IPNSystem
package import SystemPackage

/// What a program has of a message that `Socket.borrow` gave.
package protocol KeptMessage: AnyObject {
    func letGo()
}

/// Receiving. See recv(2).
///
/// Whoever sleeps for a message has the node's receiving side to itself without holding the lock: there is nothing to receive
/// then, and what others want of it waits until it has woken up, or needs nothing of it.
extension Socket {
    /// Takes the next message, out of band first, and shows it to `body`.
    ///
    /// - Parameter flags: `MSG_DONTWAIT`, `MSG_PEEK`.
    /// - Returns: nil after the receiving side was shut down, or where the socket is closed meanwhile.
    /// - Throws: `ENOTCONN`, `EAGAIN`, `EINTR`, `EOPNOTSUPP` for `MSG_OOB`: news come in turn, before data.
    package func receive<Result>(flags: CInt, _ body: (ArrivedMessage) -> Result) throws(Errno) -> Result? {
        receiving.lock()
        defer { receiving.unlock() }
        guard let message = try next(flags: flags) else { return nil }
        let result = body(message)
        if flags & CInt(MSG_PEEK) != 0 { node.putBack(message) } else { node.end(message) }
        return result
    }

    /// Keeps the next message in place.
    package func borrow(flags: CInt) throws(Errno) -> HeldMessage? {
        receiving.lock()
        defer { receiving.unlock() }
        guard let message = try next(flags: flags) else { return nil }
        return node.keep(message)
    }

    /// Gives a kept message back.
    package func giveBack(_ loan: some KeptMessage) {
        receiving.lock()
        defer { receiving.unlock() }
        if isReceiverAsleep() { postponed.append { loan.letGo() } } else { loan.letGo() }
    }

    /// Does something to the receiving side, as soon as nobody sleeps there. With `receiving` held.
    func onReceiver(_ body: @escaping () -> Void) {
        if isReceiverAsleep() { postponed.append(body) } else { body() }
    }

    /// Whether another thread sleeps for a message. With `receiving` held.
    ///
    /// Where it is this very thread, a signal handler has interrupted its call, or has jumped out of it (siglongjmp(3)): as with
    /// any socket it may go on, and the call below, if it ever does, begins anew.
    func isReceiverAsleep() -> Bool {
        guard let thread = sleepingReceiver else { return false }
        guard isOwn(thread) else { return true }
        overtake(&overtakenReceives)
        endNap()
        return false
    }

    /// The receiving side is free again. With `receiving` held.
    private func endNap() {
        sleepingReceiver = nil
        for body in postponed { body() }
        postponed.removeAll()
        receiving.wakeWaiters()
    }

    /// With `receiving` held, which is let go of meanwhile where this has to wait.
    private func next(flags: CInt) throws(Errno) -> ArrivedMessage? {
        guard flags & CInt(MSG_OOB) == 0 else { throw Errno(rawValue: EOPNOTSUPP) }
        var deadline: UInt64?
        while true {
            if !isReceiverAsleep(), let message = try begin(.zero) { return message }
            if isOver { return nil }
            let end = deadline ?? Deadline.after(patience(flags, SO_RCVTIMEO))
            deadline = end
            guard end > 0 else { throw Errno.resourceTemporarilyUnavailable }
            if isReceiverAsleep() {
                // One sleeps for the node, the others for that one.
                guard receiving.wait(until: end) else { throw Errno.resourceTemporarilyUnavailable }
                continue
            }
            switch sleep(Deadline.left(until: end)) {
            case .message(let message): return message
            case .late: if isOver { return nil } else { throw Errno.resourceTemporarilyUnavailable }
            case .failed(let error): throw error
            case .disturbed: continue
            }
        }
    }

    /// Waits for a message with the lock free.
    private func sleep(_ patience: Duration?) -> Nap {
        sleepingReceiver = pthread_self()
        naps += 1
        let mine = naps
        receiving.unlock()
        let nap: Nap
        do throws(Errno) {
            nap = try begin(patience).map { .message($0) } ?? .late
        } catch {
            nap = .failed(error)
        }
        receiving.lock()
        endSleep(&overtakenReceives)
        if sleepingReceiver == nil || naps != mine { return wasOvertaken(nap) }
        let wasAsked = !postponed.isEmpty
        endNap()
        // What was given back meanwhile may be what was missing.
        if wasAsked, case .failed(Errno(rawValue: ENOBUFS)) = nap { return .disturbed }
        return nap
    }

    /// A signal handler has used the socket meanwhile.
    private func wasOvertaken(_ nap: Nap) -> Nap {
        if case .failed(Errno(rawValue: ECANCELED)) = nap { .disturbed } else { nap }
    }

    /// What a wait for a message has come to.
    private enum Nap {
        case message(ArrivedMessage)
        case late
        case failed(Errno)
        case disturbed
    }

    var isOver: Bool { node.isReceivingOver && (!node.wantsNumberOfNodes || isClosed) }

    private func begin(_ timeout: Duration?) throws(Errno) -> ArrivedMessage? {
        do throws(IPNError) {
            return try node.begin(timeout: timeout)
        } catch {
            // Shut down, never allowed, or closed by another thread meanwhile: the end of the data.
            if error.errno == .permissionDenied || isClosed { return nil }
            throw error.errno
        }
    }

    /// Bytes of the next message; 0 where there is none.
    package func nextLength() throws(Errno) -> Int {
        do throws(Errno) {
            return try receive(flags: CInt(MSG_PEEK) | CInt(MSG_DONTWAIT)) { $0.withWhole(\.count) } ?? 0
        } catch {
            if error == .resourceTemporarilyUnavailable { return 0 }
            throw error
        }
    }
}
