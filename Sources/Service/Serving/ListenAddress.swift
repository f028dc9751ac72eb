import Glibc
import IPNSystem
import Media
import SystemPackage

/// Where to listen: `127.0.0.1:8080`, `[::1]:8080`; port 0 for any that is free.
package struct ListenAddress: Sendable {
    package let text: String
    private let host: String
    private let port: UInt16

    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("[") && host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        var four = in_addr()
        var six = in6_addr()
        guard inet_pton(AF_INET, String(host), &four) == 1 || inet_pton(AF_INET6, String(host), &six) == 1 else { return nil }
        self.text = text
        self.host = String(host)
        self.port = port
    }

    /// A socket that listens there.
    func open() throws(MediaError) -> Descriptor {
        let isSix = host.contains(":")
        let raw = socket(isSix ? AF_INET6 : AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard raw >= 0 else { throw failure() }
        let descriptor = Descriptor(owning: raw)
        var yes: CInt = 1
        setsockopt(raw, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<CInt>.size))
        var storage = sockaddr_storage()
        let size = socklen_t(isSix ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &storage) { pointer in
            if isSix {
                pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { address in
                    address.pointee.sin6_family = sa_family_t(AF_INET6)
                    address.pointee.sin6_port = port.bigEndian
                    _ = inet_pton(AF_INET6, host, &address.pointee.sin6_addr)
                }
            } else {
                pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { address in
                    address.pointee.sin_family = sa_family_t(AF_INET)
                    address.pointee.sin_port = port.bigEndian
                    _ = inet_pton(AF_INET, host, &address.pointee.sin_addr)
                }
            }
            return pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(raw, address, size) == 0 ? listen(raw, 16) : -1
            }
        }
        guard status == 0 else { throw failure() }
        return descriptor
    }

    /// Where such a socket listens: with the port that it was given.
    func text(of descriptor: borrowing Descriptor) -> String {
        var address = sockaddr_in6()
        var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor.raw, $0, &size) }
        }
        // The port stands at the same place for both families.
        let port = status == 0 ? UInt16(bigEndian: address.sin6_port) : port
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    private func failure() -> MediaError {
        let number = errno
        return MediaError(
            number == EACCES ? .permissionDenied : .cannotOpen, object: text, what: "cannot listen there",
            remedy: number == EADDRINUSE ? "another program does; take another port" : "", cause: String(cString: strerror(number)))
    }
}
