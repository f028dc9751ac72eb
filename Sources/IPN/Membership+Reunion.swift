import CIPN
import CLinux
import Glibc
import IPNControl
import IPNRing
import IPNSystem
import SystemPackage

/// What becomes of a member whose keeper is gone.
///
///     kept --(hang-up)--> lost --(another keeper takes us back)--> kept
///                           `---(it does not know us)-----------> severed
///
/// The watchman's thread takes the steps; who needs a keeper meanwhile waits for it, and who does not goes on.
extension Membership {
    enum Tie {
        case kept
        case lost
        /// The network goes on without us: a keeper that lives has let us go.
        case severed
    }

    /// How long calls wait for another keeper. Who lost one longer ago does without.
    private static let patience: UInt64 = 2_000_000_000

    var hasWaitedLong: Bool { tie == .severed || tie == .lost && clockNanoseconds() >= lostTime + Self.patience }

    /// Returns once there is a keeper. The caller holds the lock.
    /// - Throws: `EPIPE` where there is none, nor was for some time.
    func awaitKeeper() throws(Errno) {
        while tie == .lost && lock.wait(until: lostTime + Self.patience) {}
        guard tie == .kept else { throw Errno.brokenPipe }
    }

    /// Notes that the keeper is gone, where an error says so. - Throws: every other error.
    func lose(_ error: Errno) throws(Errno) {
        guard error == .brokenPipe || error == .connectionReset else { throw error }
        guard tie == .kept else { return }
        // What goes through the keeper ends with it: a policy that crashes cannot do so again and again.
        if isRouted { return sever() }
        tie = .lost
        lostTime = clockNanoseconds()
    }

    func sever() {
        isComingBack = false
        tie = .severed
        lock.wakeWaiters()
        tellEnd()
    }

    /// Has the node look at the end of its network.
    func tellEnd() {
        if isRouted { wakers?.endNetwork() } else { wakers?.wakeAll() }
    }

    // MARK: The watchman's steps

    /// The keeper has hung up, or it is time to look again.
    /// - Returns: when to look again, in nanoseconds on CLOCK_MONOTONIC; nil where all is well, or over.
    func reunite() -> UInt64? {
        lock.lock()
        defer { lock.unlock() }
        if tie == .kept { try? lose(.brokenPipe) }
        guard tie == .lost else { return nil }
        do throws(Errno) {
            if !isComingBack {
                watchman.release(link.rawDescriptor)
                // Who has no part in the network has nothing to come back to.
                guard standing.hasPart else { throw Errno(rawValue: ENOTCONN) }
                guard let socket = try Election.keeper(of: self) else { return nextLook }
                link = KeeperLink(socket)
                lostTime = clockNanoseconds()
                try standing.withDescriptors(file: file.raw, wakers) { descriptors throws(Errno) in
                    try link.post(standing.request(knowsRoster: table.isKnown), descriptors: descriptors)
                }
                isComingBack = true
                step("return: asked")
            }
            try comeBack()
        } catch {
            switch error {
            case .resourceTemporarilyUnavailable:
                // It may be stopped. What we said stays said.
                return clockNanoseconds() + 50_000_000
            case .brokenPipe, .connectionReset:
                isComingBack = false
                return nextLook
            default:
                // A keeper that lives does not know us, or cannot be understood.
                sever()
                return nil
            }
        }
        step("return: page swapped")
        isComingBack = false
        strangeDoor = nil
        keptTime = clockNanoseconds()
        tie = .kept
        // With this others are given our memory.
        if standing.isConnected { try? link.post(table.request()) }
        step("return: asked for the roster")
        lock.wakeWaiters()
        wakers?.wakeSleepers()
        try? watchman.watch(link.rawDescriptor, token: watchToken)
        if waitForAnswer() { try? finishPosted() }
        return nil
    }

    /// Soon, at first: elections take milliseconds. Later on, with nobody there to hold one, ten times a second.
    private var nextLook: UInt64 {
        let now = clockNanoseconds()
        if strangeDoor != nil { return now + 20_000_000 }
        return now + max(1_000_000, min((now - lostTime) / 8, 100_000_000))
    }

    /// Waits a while, not for long: a keeper may be stopped, and the process has others to come back to.
    private func waitForAnswer() -> Bool { (try? waitReadable(link.rawDescriptor, milliseconds: 100)) ?? false }

    /// Takes the answer of a new keeper to what we have, and looks at its page from here on.
    private func comeBack() throws(Errno) {
        _ = waitForAnswer()
        var answer = try link.takePosted(waiting: false)
        guard let handed = answer.descriptors.next() else { throw Errno(rawValue: EPROTO) }
        let descriptor = handed.adopted()
        guard try SharedMemory.sealedSize(of: descriptor) >= pageMapping.size else { throw Errno(rawValue: EPROTO) }
        try pageMapping.replace(by: descriptor.raw)
    }
}
