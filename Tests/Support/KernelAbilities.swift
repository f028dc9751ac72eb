import CLinux
import Glibc

/// What some kernels are built or set up without, and tests are left out for, by name.
public enum KernelAbilities {
    /// Its list of sockets says who made each: sock_diag(7), CONFIG_UNIX_DIAG.
    public static let namesMakersOfSockets: Bool = {
        guard let scratch = try? Scratch() else { return false }
        let path = scratch("socket")
        var address = sockaddr_un()
        let made = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { _ = close(made) }
        let length = linux_address(&address, path)
        let isBound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { linux_bind(made, $0, length) == 0 }
        }
        var status = stat()
        var maker: uid_t = 0
        return isBound && stat(path, &status) == 0 && linux_socket_maker(UInt64(status.st_dev), UInt64(status.st_ino), &maker) == 0
    }()

    /// Anybody may make a user namespace, see user_namespaces(7).
    public static let makesUserNamespaces = (try? Child.run("/usr/bin/env", ["unshare", "-Ur", "true"]).status) == 0
}
