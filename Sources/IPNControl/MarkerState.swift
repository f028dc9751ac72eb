import CLinux
import Glibc
package import IPNSystem
import SystemPackage

/// Whether anybody still holds a marker: a datagram connect is refused only when all are gone.
package enum MarkerState {
    case alive
    /// Not ours to ask: without `w` a connect says nothing.
    case unknown
    case dead
    /// Another program's socket.
    case foreign

    /// What is at a path now; `unknown` where nothing is.
    package init(at path: Path) {
        guard let file = try? Descriptor.open(path, flags: O_PATH) else {
            self = .unknown
            return
        }
        self.init(of: file.raw)
    }

    /// - Parameter file: an `O_PATH` descriptor.
    package init(of file: CInt) {
        guard let raw = try? systemCall({ socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0) }) else {
            self = .unknown
            return
        }
        let probe = Descriptor(owning: raw)
        do throws(Errno) {
            _ = try withSocketAddress("/proc/self/fd/\(file)") { address, length in
                linux_connect(probe.raw, address, length)
            }
            self = .alive
        } catch {
            switch error.rawValue {
            case ECONNREFUSED: self = .dead
            case EPROTOTYPE: self = .foreign
            default: self = .unknown
            }
        }
    }
}
