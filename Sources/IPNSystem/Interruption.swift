package import SystemPackage
import CLinux
import Glibc

/// Ctrl-C and its like as something to wait for: SIGINT, SIGTERM and SIGHUP come through a descriptor, so that no
/// signal falls between a look and a sleep. See signalfd(2).
package struct Interruption: ~Copyable, Sendable {
    private let descriptor: Descriptor

    /// Blocks the signals in the calling thread and those that it starts: make it before any other thread.
    package init() throws(Errno) {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&set, number) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        descriptor = Descriptor(owning: try systemCall { signalfd(-1, &set, CInt(SFD_CLOEXEC) | CInt(SFD_NONBLOCK)) })
    }

    /// Readable once somebody asked to stop.
    package var raw: CInt { descriptor.raw }

    /// Waits until `other` is readable. - Returns: whether to stop instead.
    package borrowing func wait(for other: CInt, milliseconds: CInt = -1) throws(Errno) -> Bool {
        while true {
            do throws(Errno) {
                return try waitReadable(other, orStop: descriptor.raw, milliseconds: milliseconds)
            } catch {
                guard error == .interrupted else { throw error }
            }
        }
    }

    /// Whether somebody asked to stop. Stays so.
    package var isRaised: Bool {
        (try? waitReadable(descriptor.raw, -1, milliseconds: 0)) ?? false
    }
}
