import CLinux
import Glibc

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

/// Closes what a stranger handed over, without waiting for it: close(2) of a socket that lingers, or of a file whose
/// server is the stranger, takes as long as the stranger likes.
package enum Disposal {
    package static func close(_ raw: CInt) {
        if case .other = HandedKind(of: raw), handToThread(raw) { return }
        _ = Glibc.close(raw)
    }

    /// A thread of its own, so that one that never ends holds up no other. It costs a few pages.
    private static func handToThread(_ raw: CInt) -> Bool {
        (try? startThread(stack: 64 << 10) { _ = Glibc.close(raw) }) != nil
    }
}
