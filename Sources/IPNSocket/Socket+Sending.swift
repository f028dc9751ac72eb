import CIPN
import CLinux
import Glibc
package import IPN
import IPNSystem
package import SystemPackage

/// Sending. See send(2).
///
/// Whoever sleeps for room, or has a loan, has the node's sending side to itself without holding the lock: others wait for
/// their turn, or are told at once that it is not theirs.
extension Socket {
    /// A slot in a program's hands.
    struct Loan {
        /// No other loan of this process has it.
        let number: UInt
        let slot: LentSlot
        let thread: pthread_t
    }

    /// Lends a slot for `count` bytes to `fill`, and publishes it.
    ///
    /// - Parameters:
    ///   - flags: `MSG_DONTWAIT`; others are passed over, but for `MSG_OOB`.
    ///   - tag: nil for the socket's own.
    /// - Throws: `ENOTCONN`, `EPIPE`, `EMSGSIZE`, `EAGAIN`, `EINTR`, `ENOBUFS`, `EOPNOTSUPP`, `EDEADLK` where this thread has a loan.
    package func send(
        _ count: Int, flags: CInt, tag: UInt64? = nil, _ fill: (UnsafeMutableRawBufferPointer) -> Void
    ) throws(Errno) {
        sending.lock()
        defer { endTurn() }
        guard let slot = try lend(count, flags: flags) else { return }
        fill(UnsafeMutableRawBufferPointer(start: slot.bytes, count: count))
        node.publish(slot, tag: tag ?? self.tag)
    }

    /// Lends a slot. With `sending` held, which is let go of meanwhile where this has to wait.
    /// - Returns: nil where a LOSSY network has none: the message would be lost to all.
    private func lend(_ count: Int, flags: CInt) throws(Errno) -> LentSlot? {
        guard flags & CInt(MSG_OOB) == 0 else { throw Errno(rawValue: EOPNOTSUPP) }
        var deadline: UInt64?
        if isTaken { deadline = try waitForTurn(flags) }
        do throws(IPNError) {
            return try node.lendAtOnce(count)
        } catch {
            guard error.errno == .resourceTemporarilyUnavailable else { throw isClosed ? .brokenPipe : error.errno }
        }
        // Only now what the socket's flags and time-outs say matters.
        let end = deadline ?? Deadline.after(patience(flags, SO_SNDTIMEO))
        guard end > 0 else { return try lend(count, until: end) }
        // Readers ring one way only: from now on us.
        if node.isPolledForRoom { owesPollers = true }
        sleepingSender = pthread_self()
        turns += 1
        let mine = turns
        sending.unlock()
        defer {
            sending.lock()
            endSleep(&overtakenSends)
            if turns == mine { sleepingSender = nil }
        }
        return try lend(count, until: end)
    }

    private func lend(_ count: Int, until end: UInt64) throws(Errno) -> LentSlot? {
        do throws(IPNError) {
            return try node.lend(count, timeout: Deadline.left(until: end))
        } catch {
            throw isClosed ? .brokenPipe : error.errno
        }
    }

    /// Whether another call has the sending side.
    private var isTaken: Bool { isSenderAsleep() || loan != nil }

    /// As `isReceiverAsleep`. With `sending` held.
    private func isSenderAsleep() -> Bool {
        guard let thread = sleepingSender else { return false }
        guard isOwn(thread) else { return true }
        overtake(&overtakenSends)
        sleepingSender = nil
        turns += 1
        return false
    }

    /// - Returns: until when to wait for what comes then.
    private func waitForTurn(_ flags: CInt) throws(Errno) -> UInt64 {
        let end = Deadline.after(patience(flags, SO_SNDTIMEO))
        while isTaken {
            if let loan, isOwn(loan.thread) { throw Errno(rawValue: EDEADLK) }
            guard end > 0, sending.wait(until: end) else {
                owesPollers = true
                throw Errno.resourceTemporarilyUnavailable
            }
        }
        return end
    }

    /// Whether a send would not have to wait; who polls is told once that is so. With `sending` held.
    func isWritable() -> Bool {
        guard !isTaken else {
            owesPollers = true
            return false
        }
        return node.isWritable
    }

    /// Lets the next one send, and tells those who poll and were put off. The lock is free then.
    private func endTurn() {
        if !isTaken {
            sending.wakeWaiters()
            if owesPollers {
                owesPollers = false
                if node.isWritable { node.strikeForRoom() }
            }
        }
        sending.unlock()
    }

    // MARK: In place

    /// Lends a slot until `publish` or `cancel`, one at a time; others that send wait meanwhile.
    /// - Returns: the slot, and a number that stands for it.
    /// - Throws: as `send`; `ENOBUFS` where there is no slot.
    package func lend(_ count: Int, flags: CInt) throws(Errno) -> (slot: LentSlot, number: UInt) {
        sending.lock()
        defer { endTurn() }
        guard let slot: LentSlot = try lend(count, flags: flags) else { throw Errno(rawValue: ENOBUFS) }
        loans += 1
        let made = Loan(number: serial << 32 | loans & 0xffff_ffff, slot: slot, thread: pthread_self())
        loan = made
        return (slot, made.number)
    }

    /// Sends what a loan has become.
    /// - Throws: `EINVAL` where it is no loan of this socket's; `EMSGSIZE` where it has become longer: then it stays one; `EPIPE`
    ///   where sending was shut down meanwhile: then it is given back.
    package func publish(_ number: UInt, count: Int, tag: UInt64) throws(Errno) {
        sending.lock()
        defer { endTurn() }
        guard let slot = loan?.slot, loan?.number == number else { throw Errno.invalidArgument }
        guard (0...slot.count).contains(count) else { throw Errno.messageTooLong }
        loan = nil
        guard !node.isSendingOver else {
            node.cancel(slot)
            throw Errno.brokenPipe
        }
        node.publish(slot.shortened(to: count), tag: tag)
    }

    /// Gives a loan back unsent.
    package func cancel(_ number: UInt) throws(Errno) {
        sending.lock()
        defer { endTurn() }
        guard let slot = loan?.slot, loan?.number == number else { throw Errno.invalidArgument }
        loan = nil
        node.cancel(slot)
    }
}
