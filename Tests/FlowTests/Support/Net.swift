import Foundation
import Glibc

/// Addresses of this machine for servers of ours.
enum Net {
    /// A number that nobody listens at, for TCP and UDP; even, as RTP wants it, with the next one free as well.
    static func freePort() throws -> Int {
        for _ in 0..<1000 {
            let port = Int.random(in: 10_000...30_000) & ~1
            let kinds = [SOCK_STREAM, SOCK_DGRAM]
            if kinds.allSatisfy({ canBind(port, $0) && canBind(port + 1, $0) }) { return port }
        }
        throw Program.Failure(description: "no port is free")
    }

    private static func canBind(_ port: Int, _ kind: __socket_type) -> Bool {
        let socket = socket(AF_INET, CInt(kind.rawValue), 0)
        defer { close(socket) }
        return withAddress(port) { bind(socket, $0, $1) } == 0
    }

    /// Whether a TCP server answers.
    static func answers(_ port: Int) -> Bool {
        let socket = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        return withAddress(port) { connect(socket, $0, $1) } == 0
    }

    /// A connection to a server, with little room for what is not read.
    static func connected(_ port: Int) throws -> CInt {
        let socket = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var size: CInt = 8192
        setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<CInt>.size))
        guard withAddress(port, { connect(socket, $0, $1) }) == 0 else {
            close(socket)
            throw Program.Failure(description: "nobody answers at \(port)")
        }
        return socket
    }

    /// Whether somebody is bound to a UDP port.
    static func isBound(udp port: Int) -> Bool {
        let text = (try? String(contentsOfFile: "/proc/net/udp", encoding: .utf8)) ?? ""
        let hexadecimal = String(port, radix: 16, uppercase: true)
        return text.contains(":\(String(repeating: "0", count: 4 - hexadecimal.count))\(hexadecimal) ")
    }

    private static func withAddress(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt) -> CInt {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}
