import CIPN
import CLinux
import Glibc
package import IPN
import IPNSystem
package import SystemPackage

/// Sending and receiving. See send(2), recv(2).
extension Socket {
    // MARK: Sending

    /// Lends a slot for `count` bytes to `fill`, and publishes it.
    ///
    /// - Parameters:
    ///   - flags: `MSG_DONTWAIT`; others are passed over, but for `MSG_OOB`.
    ///   - tag: nil for the socket's own.
    /// - Throws: `ENOTCONN`, `EPIPE`, `EMSGSIZE`, `EAGAIN`, `EINTR`, `ENOBUFS`, `EOPNOTSUPP`.
    package func send(
        _ count: Int, flags: CInt, tag: UInt64? = nil, _ fill: (UnsafeMutableRawBufferPointer) -> Void
    ) throws(Errno) {
        sending.lock()
        defer { sending.unlock() }
        guard let slot = try lend(count, flags: flags) else { return }
        fill(UnsafeMutableRawBufferPointer(start: slot.bytes, count: count))
        node.publish(slot, tag: tag ?? self.tag)
    }

    /// Lends a slot. With `sending` held, until it is published or cancelled.
    /// - Returns: nil where a LOSSY network has none: the message would be lost to all.
    private func lend(_ count: Int, flags: CInt) throws(Errno) -> LentSlot? {
        guard flags & CInt(MSG_OOB) == 0 else { throw Errno(rawValue: EOPNOTSUPP) }
        do throws(IPNError) {
            return try node.lend(count, timeout: .zero)
        } catch {
            guard error.errno == .resourceTemporarilyUnavailable else { throw error.errno }
        }
        // Only now what the socket's flags and time-outs say matters.
        let patience = patience(flags, SO_SNDTIMEO)
        guard patience != .zero else { throw Errno.resourceTemporarilyUnavailable }
        do throws(IPNError) {
            return try node.lend(count, timeout: patience)
        } catch {
            throw error.errno
        }
    }

    /// Lends a slot until `publish` or `cancel`, by the same thread; others that send wait meanwhile.
    package func loan(_ count: Int, flags: CInt) throws(Errno) -> LentSlot {
        sending.lock()
        do throws(Errno) {
            guard let slot = try lend(count, flags: flags) else { throw Errno(rawValue: ENOBUFS) }
            return slot
        } catch {
            sending.unlock()
            throw error
        }
    }

    package func publish(_ slot: LentSlot, tag: UInt64) {
        node.publish(slot, tag: tag)
        sending.unlock()
    }

    package func cancel(_ slot: LentSlot) {
        node.cancel(slot)
        sending.unlock()
    }

    // MARK: Receiving

    /// Takes the next message, out of band first, and shows it to `body`.
    ///
    /// - Parameter flags: `MSG_DONTWAIT`, `MSG_PEEK`.
    /// - Returns: nil after the receiving side was shut down.
    /// - Throws: `ENOTCONN`, `EAGAIN`, `EINTR`.
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
    package func giveBack(_ message: consuming HeldMessage) {
        receiving.lock()
        defer { receiving.unlock() }
        _ = consume message
    }

    private func next(flags: CInt) throws(Errno) -> ArrivedMessage? {
        if let message = try begin(.zero) { return message }
        if isOver { return nil }
        let patience = patience(flags, SO_RCVTIMEO)
        if patience != .zero, let message = try begin(patience) { return message }
        if isOver { return nil }
        throw Errno.resourceTemporarilyUnavailable
    }

    private var isOver: Bool { node.isReceivingOver && !node.wantsNumberOfNodes }

    private func begin(_ timeout: Duration?) throws(Errno) -> ArrivedMessage? {
        do throws(IPNError) {
            return try node.begin(timeout: timeout)
        } catch {
            // Shut down, or never allowed: the end of the data.
            if error.errno == .permissionDenied { return nil }
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

    // MARK: Readiness

    /// Has the handle say what is there and no more: it was readable for nothing.
    package func settle() {
        guard receiving.tryLock() else { return }
        node.settlePollers()
        receiving.unlock()
    }

    /// What poll(2) would say, of POLLIN, POLLPRI, POLLOUT and POLLHUP.
    ///
    /// Where another thread is in a call, that direction is its affair: it counts as not ready.
    package func readiness(_ wanted: Int16) -> Int16 {
        var ready: Int16 = 0
        if isHungUp { ready |= Int16(POLLHUP) }
        if wanted & Int16(POLLIN | POLLPRI) != 0, receiving.tryLock() {
            let (data, news) = node.incoming()
            if data || news || (node.isConnected && isOver) { ready |= Int16(POLLIN) }
            if news { ready |= Int16(POLLPRI) }
            receiving.unlock()
        }
        if wanted & Int16(POLLOUT) != 0, sending.tryLock() {
            if node.isConnected && node.isWritable { ready |= Int16(POLLOUT) }
            sending.unlock()
        }
        return ready & (wanted | Int16(POLLHUP))
    }
}
