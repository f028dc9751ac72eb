import CLinux
import Glibc
import IPNSystem
import SystemPackage

/// A thread that sees a keeper go, whatever the program does meanwhile, and finds another: one for the whole process,
/// asleep all the time.
///
/// Without it, whoever sleeps for a message would have to watch the keeper too, which costs each wake-up a microsecond,
/// and a program that never calls would never know. All signals are blocked in it: they are the program's.
final class Watchman: @unchecked Sendable {
    // Sendable: what changes is touched with `lock` held.
    private let poller: Poller
    private let lock = Lock()
    private var watched: [UInt64: Watched] = [:]
    private var nextToken: UInt64 = 1

    private struct Watched {
        weak var membership: Membership?
        var visit: Visit?
        /// When to look for another keeper, on CLOCK_MONOTONIC; nil where there is one.
        var nextLook: UInt64?
    }

    private static let place = Lock(isHeldOverForks: true)
    nonisolated(unsafe) private static var present: (process: pid_t, watchman: Watchman)?

    /// This process's. A forked child has none until it asks.
    static func ofProcess() throws(Errno) -> Watchman {
        place.lock()
        defer { place.unlock() }
        if let present, present.process == getpid() { return present.watchman }
        let made = try Watchman()
        try made.start()
        present = (getpid(), made)
        return made
    }

    private init() throws(Errno) { poller = try Poller() }

    /// Has a membership told when its keeper hangs up.
    /// - Returns: what to give `forget`.
    func watch(_ link: CInt, for membership: Membership) throws(Errno) -> UInt64 {
        lock.lock()
        let token = nextToken
        nextToken += 1
        watched[token] = Watched(membership: membership)
        lock.unlock()
        try watch(link, token: token)
        return token
    }

    /// The same for a membership's next keeper.
    func watch(_ link: CInt, token: UInt64) throws(Errno) { try poller.addForHangUp(link, token: token) }

    /// Takes a link off, which may be closed then.
    func release(_ link: CInt) { poller.remove(link) }

    func forget(_ token: UInt64, _ link: CInt) {
        release(link)
        lock.lock()
        defer { lock.unlock() }
        watched[token] = nil
    }

    /// Has a visit end when a descriptor is readable.
    func expect(_ visit: Visit, on raw: CInt) throws(Errno) {
        lock.lock()
        visit.token = nextToken
        nextToken += 1
        watched[visit.token] = Watched(visit: visit)
        lock.unlock()
        try poller.addOnce(raw, token: visit.token)
    }

    func forgetVisit(_ visit: Visit, on raw: CInt) { forget(visit.token, raw) }

    private func start() throws(Errno) {
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try startThread { self.run() }
    }

    private func run() {
        _ = linux_enter()
        while true {
            for event in (try? poller.wait(milliseconds: pause)) ?? [] { attend(event.token) }
            let now = clockNanoseconds()
            lock.lock()
            let due = watched.filter { $0.value.nextLook.map { $0 <= now } ?? false }.map(\.key)
            lock.unlock()
            for token in due { attend(token) }
        }
    }

    /// Milliseconds to the next look; -1 where nobody has lost a keeper.
    private var pause: CInt {
        lock.lock()
        defer { lock.unlock() }
        guard let next = watched.values.compactMap(\.nextLook).min() else { return -1 }
        return Deadline.milliseconds(until: next) ?? 0
    }

    private func attend(_ token: UInt64) {
        lock.lock()
        let entry = watched[token]
        lock.unlock()
        entry?.visit?.end(nil)
        let next = entry?.membership?.reunite()
        lock.lock()
        watched[token]?.nextLook = next
        lock.unlock()
    }
}
