import CLinux
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

    /// Takes over a descriptor, as `Descriptor` does.
    package init(owning number: CInt) {
        precondition(number >= 0)
        raw = linux_own(number)
    }

    deinit {
        linux_disown(raw)
        Disposal.close(raw)
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
        return HandedDescriptor(owning: try systemCall { linux_fcntl(raw, F_DUPFD_CLOEXEC, 0) })
    }

    /// As one of our own, whose close takes no time: for memory and counters of anybody, and all that comes from who is trusted.
    package consuming func adopted() -> Descriptor { Descriptor(owning: release()) }

    /// - Throws: `EINVAL` where it is of another kind.
    package borrowing func check(is kind: HandedKind) throws(Errno) {
        guard HandedKind(of: raw) == kind else { throw Errno.invalidArgument }
    }
}

/// Closes what a stranger handed over, without waiting for it: close(2) of a socket that lingers, or of a file whose
/// server is the stranger, takes as long as the stranger likes. So does that of a datagram socket in which one waits.
package enum Disposal {
    package static func close(_ raw: CInt) {
        switch HandedKind(of: raw) {
        case .datagramSocket, .other:
            if handToThread(raw) { return }
        case .memory, .eventCounter, .path:
            break
        }
        _ = Glibc.close(raw)
    }

    /// A thread of its own, so that one that never ends holds up no other. It costs a few pages.
    private static func handToThread(_ raw: CInt) -> Bool {
        (try? startThread(stack: 64 << 10) { _ = Glibc.close(raw) }) != nil
    }
}
