package import CLinux
import Glibc
package import SystemPackage

/// What a descriptor that a stranger handed over is, asked without waiting for anybody: fstat(2) of a file in user
/// space (FUSE) would wait for its server, who may be the stranger.
package enum HandedKind {
    /// Memory of memfd_create(2), or a file like it.
    case memory
    case eventCounter
    /// Only names a file (`O_PATH`).
    case path
    /// A datagram socket of this machine.
    case datagramSocket
    case other

    package init(of raw: CInt) {
        if linux_fcntl(raw, F_GET_SEALS, 0) >= 0 {
            self = .memory
        } else if linux_is_path_descriptor(raw) != 0 {
            self = .path
        } else if Self.name(of: raw) == "anon_inode:[eventfd]" {
            // No file can have this name: those begin with a slash.
            self = .eventCounter
        } else if linux_is_unix_datagram(raw) != 0 {
            self = .datagramSocket
        } else {
            self = .other
        }
    }

    private static func name(of raw: CInt) -> String {
        var name = [CChar](repeating: 0, count: 64)
        let length = readlink("/proc/self/fd/\(raw)", &name, name.count)
        return String(decoding: name.prefix(max(length, 0)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// A descriptor that somebody else handed over. Whatever becomes of it, it is closed, and nobody waits for that.
package struct HandedDescriptor: ~Copyable, Sendable {
    package let raw: CInt
    private let giver: uid_t

    /// Takes over a descriptor, as `Descriptor` does.
    package init(owning number: CInt, from giver: uid_t = Disposal.giver) {
        precondition(number >= 0)
        raw = linux_own(number)
        self.giver = giver
    }

    deinit {
        linux_disown(raw)
        Disposal.close(raw, from: giver)
    }

    /// Gives it away, open.
    package consuming func release() -> CInt {
        let raw = raw
        linux_disown(raw)
        discard self
        return raw
    }

    /// A second descriptor of the same description, not inherited by programs that are started.
    package borrowing func duplicate() throws(Errno) -> HandedDescriptor {
        let raw = raw
        return HandedDescriptor(owning: try systemCall { linux_fcntl(raw, F_DUPFD_CLOEXEC, 0) }, from: giver)
    }

    /// As one of our own, whose close takes no time: for memory and counters of anybody, and all that comes from who is trusted.
    package consuming func adopted() -> Descriptor { Descriptor(owning: release()) }

    /// - Throws: `EINVAL` where it is of another kind.
    package borrowing func check(is kind: HandedKind) throws(Errno) {
        guard HandedKind(of: raw) == kind else { throw Errno.invalidArgument }
    }
}

/// Closes what strangers handed over, without waiting for it: close(2) of a socket that lingers, or of a file whose server is the
/// stranger, takes as long as the stranger likes. So does that of a socket in which one waits.
///
/// Threads of each user's own do it, a few: who has them stand still for ever holds up nobody but himself.
package enum Disposal {
    /// Whose descriptors are received from here on. Of one thread only, that of a keeper; anybody else has but one kind of neighbours.
    nonisolated(unsafe) package static var giver: uid_t = 0

    package static func close(_ raw: CInt, from giver: uid_t = giver) {
        switch HandedKind(of: raw) {
        case .datagramSocket, .other: closeLater(raw, from: giver)
        case .memory, .eventCounter, .path: _ = Glibc.close(raw)
        }
    }

    /// Has it closed by a thread in any case.
    package static func closeLater(_ raw: CInt, from giver: uid_t = giver) { queues.add(raw, of: giver) }

    /// Whether so much of a user's waits to be closed that no more may be taken of it.
    package static func isBehind(with giver: uid_t) -> Bool { queues.count(of: giver) >= 512 }

    private static let queues = DisposalQueues()
}

/// What waits to be closed.
private final class DisposalQueues: @unchecked Sendable {
    // Sendable: all that changes is touched with `lock` held.
    private let lock = Lock()
    private var queues: [uid_t: Queue] = [:]

    private struct Queue {
        var waiting: [CInt] = []
        var threads = 0
    }

    private static let mostThreads = 2

    func count(of giver: uid_t) -> Int {
        lock.lock()
        defer { lock.unlock() }
        return queues[giver]?.waiting.count ?? 0
    }

    func add(_ raw: CInt, of giver: uid_t) {
        lock.lock()
        queues[giver, default: Queue()].waiting.append(raw)
        // Also those for whom there was no thread before.
        let short = queues.filter { $0.value.threads < Self.mostThreads && !$0.value.waiting.isEmpty }.map(\.key)
        for user in short { queues[user]?.threads += 1 }
        lock.unlock()
        // A thread costs a few pages.
        for user in short where (try? startThread(stack: 64 << 10) { self.work(for: user) }) == nil {
            lock.lock()
            queues[user]?.threads -= 1
            lock.unlock()
        }
    }

    private func work(for giver: uid_t) {
        while let raw = next(for: giver) { _ = Glibc.close(raw) }
    }

    private func next(for giver: uid_t) -> CInt? {
        lock.lock()
        defer { lock.unlock() }
        if let raw = queues[giver]?.waiting.popLast() { return raw }
        queues[giver]?.threads -= 1
        if queues[giver]?.threads == 0 { queues[giver] = nil }
        return nil
    }
}
