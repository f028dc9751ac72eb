package import SystemPackage
import CLinux
import Glibc

/// A way to wake one sleeper. See eventfd(2), unix(7).
///
/// Between processes of one user it is an eventfd, turned round: it is full while nobody has rung, a stroke empties it, and
/// the sleeper sleeps in a write that fills it again. For a read can be told not to wait (`RWF_NOWAIT`), whatever others do
/// to the eventfd and its flags; a write cannot. So no holder can make a ringer wait. One can still take strokes away, and
/// so another user is given one end of a datagram pair instead, whose other end is the sleeper's alone.
package struct Bell: ~Copyable, Sendable {
    package let descriptor: Descriptor
    private let isDatagram: Bool

    /// An eventfd, silent.
    package init() throws(Errno) {
        descriptor = Descriptor(owning: try systemCall { eventfd(0, CInt(EFD_CLOEXEC)) })
        isDatagram = false
        // Empty is rung: this takes the stroke, and cannot fail.
        _ = linux_await_stroke(descriptor.raw)
    }

    /// One that was handed to us.
    package init(owning descriptor: consuming Descriptor, isDatagram: Bool = false) {
        self.descriptor = descriptor
        self.isDatagram = isDatagram
    }

    /// The bell as a plain number, for tables on the hot path: the descriptor, or its complement for a datagram socket.
    /// Good for `ring(_:)` as long as the bell lives.
    package var number: CInt { isDatagram ? ~descriptor.raw : descriptor.raw }

    package borrowing func ring() { Bell.ring(number) }

    /// RT safe: one system call, which never waits. A bell that cannot take another stroke has been rung.
    @inline(__always)
    package static func ring(_ number: CInt) {
        if number >= 0 { linux_ring(number) } else { linux_ring_datagram(~number) }
    }

    /// Sleeps until an eventfd is rung or one of the ears is, and takes the strokes back. Strokes from before count: whoever
    /// calls looks again anyway.
    ///
    /// - Parameters:
    ///   - ears: -1 for none. Without them and without a limit this is one write(2), the shortest sleep there is.
    ///   - milliseconds: as in poll(2).
    /// - Throws: `EINTR`.
    package static func sleep(_ raw: CInt, ears: CInt, milliseconds: CInt) throws(Errno) {
        let wasBusy = linux_let_handlers_in()
        defer { linux_keep_handlers_out(wasBusy) }
        if ears < 0 && milliseconds < 0 {
            do throws(Errno) {
                _ = try systemCall(retryOnInterrupt: false, sleeps: true) { linux_await_stroke(raw) }
                return
            } catch {
                // Another holder has made it O_NONBLOCK: poll(2) still sleeps.
                guard error == .wouldBlock else { throw error }
            }
        }
        var set = (pollfd(fd: raw, events: Int16(POLLOUT), revents: 0), readable(ears))
        try waitForEvents(&set, milliseconds: milliseconds)
        if set.0.revents != 0 { _ = linux_await_stroke(raw) }
        if set.1.revents != 0 { Ears.silence(ears) }
    }
}

/// The sleeper's and the ringer's end of a bell between two users.
package struct DatagramBell: ~Copyable, Sendable {
    /// What the sleeper listens to.
    package let ear: Descriptor
    /// What the other user is given.
    package let clapper: Descriptor

    package init() throws(Errno) {
        var ends: [CInt] = [-1, -1]
        _ = try systemCall { linux_datagram_pair(&ends) }
        ear = Descriptor(owning: ends[0])
        clapper = Descriptor(owning: ends[1])
    }
}

/// All that a sleeper listens to beside its own eventfd: an ear for each other user. One descriptor to wait for.
package struct Ears: ~Copyable, Sendable {
    private let poller: Poller
    private var ears: Set<CInt> = []
    /// Those that nobody can ring any more, and since when.
    private var deaf: [CInt: UInt64] = [:]

    package var raw: CInt { poller.descriptor.raw }

    package init() throws(Errno) { poller = try Poller() }

    package mutating func add(_ ear: consuming Descriptor) throws(Errno) {
        closeDeaf()
        try poller.add(ear.raw, token: UInt64(ear.raw))
        // Owned by number: a set holds no descriptors.
        ears.insert(linux_own(ear.release()))
    }

    /// Gives up those whose other ends are all closed: their users have left.
    private mutating func closeDeaf() {
        let now = clockNanoseconds()
        // Not at once: a sleeper who has just been told of a stroke may be about to take it back from this number.
        for (ear, since) in deaf where now - since > 10_000_000_000 || deaf.count > 64 {
            deaf[ear] = nil
            _ = Descriptor(owning: ear)
        }
        for ear in ears where linux_is_deaf(ear) != 0 {
            ears.remove(ear)
            poller.remove(ear)
            deaf[ear] = now
        }
    }

    /// Takes all strokes back.
    package static func silence(_ raw: CInt) {
        var event = epoll_event()
        var stroke: UInt8 = 0
        // Not without end: whoever rings all the time shall only wake us too often.
        for _ in 0..<64 where epoll_wait(raw, &event, 1, 0) == 1 {
            for _ in 0..<64 where recv(CInt(event.data.u64), &stroke, 1, CInt(MSG_DONTWAIT)) < 0 { break }
        }
    }

    deinit { for ear in ears.union(deaf.keys) { _ = Descriptor(owning: ear) } }
}
