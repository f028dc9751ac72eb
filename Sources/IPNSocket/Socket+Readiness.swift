import Glibc
import IPN
import IPNSystem

/// What poll(2) and epoll(7) are told. A call of another thread that sleeps does not hold it up.
extension Socket {
    /// Has the handle say what is there and no more: it was readable for nothing.
    package func settle() {
        receiving.lock()
        if isReceiverAsleep() { node.settleWhileAsleep() } else { node.settlePollers() }
        receiving.unlock()
    }

    /// Data and the end of data, and room, in the words of datagram sockets: see poll(2). Nothing is in a band of its own there.
    private static let arrived = Int16(POLLIN | POLLRDNORM)
    private static let ended = Int16(0x2000)  // POLLRDHUP, which Swift does not import
    private static let writable = Int16(POLLOUT | POLLWRNORM | POLLWRBAND)

    /// What poll(2) would say, of what is wanted and POLLHUP.
    ///
    /// What another thread waits for in a call is that thread's, and not there; who polls is told of what it leaves.
    package func readiness(_ wanted: Int16) -> Int16 {
        var ready: Int16 = 0
        // A read would not wait, but tell of the end: as sockets have it, for those who look for nothing but POLLIN.
        if isHungUp { ready |= Int16(POLLHUP) | Self.arrived }
        if wanted & (Self.arrived | Self.ended | Int16(POLLPRI)) != 0 {
            receiving.lock()
            let (data, news) = isReceiverAsleep() ? (false, false) : node.incoming()
            let isAtEnd = node.isConnected && isOver
            if data || news || isAtEnd { ready |= Self.arrived }
            if news { ready |= Int16(POLLPRI) }
            if isAtEnd { ready |= Self.ended }
            receiving.unlock()
        }
        if wanted & Self.writable != 0 {
            sending.lock()
            if node.isConnected && isWritable() { ready |= Self.writable }
            sending.unlock()
        }
        return ready & (wanted | Int16(POLLHUP))
    }

    /// See `Node.arrivals`.
    package func arrivals() -> UInt64 {
        receiving.lock()
        defer { receiving.unlock() }
        // Whoever sleeps takes what comes next, and then has the handle struck for what follows.
        return isReceiverAsleep() ? 0 : node.arrivals()
    }
}
