import CLinux
import Glibc
import IPNSystem
import SystemPackage

/// A thread that sees a keeper go, whatever the program does meanwhile: one for the whole process, asleep all the time.
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
    }

    private static let place = Lock()
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
        try poller.addForHangUp(link, token: token)
        return token
    }

    func forget(_ token: UInt64, _ link: CInt) {
        poller.remove(link)
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
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self).toOpaque()
        let code = pthread_create(
            &thread, nil,
            { context in
                Unmanaged<Watchman>.fromOpaque(context!).takeRetainedValue().run()
                return nil
            }, context)
        guard code == 0 else {
            Unmanaged<Watchman>.fromOpaque(context).release()
            throw Errno(rawValue: code)
        }
        pthread_detach(thread)
    }

    private func run() {
        while true {
            for event in (try? poller.wait()) ?? [] {
                lock.lock()
                let entry = watched[event.token]
                lock.unlock()
                entry?.membership?.keeperHungUp()
                entry?.visit?.end(nil)
            }
        }
    }
}
