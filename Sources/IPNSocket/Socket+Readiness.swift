import Glibc
import IPN
import IPNSystem

/// What poll(2) and epoll(7) are told. A call of another thread that sleeps does not hold it up.
extension Socket {
    /// Has the handle say what is there and no more: it was readable for nothing.
    package func settle() {
        receiving.lock()
        if isReceiverAsleep { node.settleWhileAsleep() } else { node.settlePollers() }
        receiving.unlock()
    }

    /// What poll(2) would say, of POLLIN, POLLPRI, POLLOUT and POLLHUP.
    ///
    /// What another thread waits for in a call is that thread's, and not there; who polls is told of what it leaves.
    package func readiness(_ wanted: Int16) -> Int16 {
        var ready: Int16 = 0
        if isHungUp { ready |= Int16(POLLHUP) }
        if wanted & Int16(POLLIN | POLLPRI) != 0 {
            receiving.lock()
            let (data, news) = isReceiverAsleep ? (false, false) : node.incoming()
            if data || news || (node.isConnected && isOver) { ready |= Int16(POLLIN) }
            if news { ready |= Int16(POLLPRI) }
            receiving.unlock()
        }
        if wanted & Int16(POLLOUT) != 0 {
            sending.lock()
            if node.isConnected && isWritable() { ready |= Int16(POLLOUT) }
            sending.unlock()
        }
        return ready & (wanted | Int16(POLLHUP))
    }

    /// See `Node.arrivals`.
    package func arrivals() -> UInt64 {
        receiving.lock()
        defer { receiving.unlock() }
        // Whoever sleeps takes what comes next, and then has the handle struck for what follows.
        return isReceiverAsleep ? 0 : node.arrivals()
    }
}
