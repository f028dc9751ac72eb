package import SystemPackage
import CLinux
import Glibc

/// The descriptor by which a program knows its node: a datagram socket that is readable where there is something to do.
///
/// A socket, so that it can be polled, passed on and inherited like any other, and has a name: abstract, it tells a
/// program that was given the descriptor which network it belongs to. Whoever may ring is given a socket that sends to
/// it, and the key: strokes without the key never arrive, so a stranger who finds the name can do nothing with it.
package struct Handle: ~Copyable, Sendable {
    package let descriptor: Descriptor
    /// What a stroke consists of.
    package let key: UInt64

    /// Names of handles begin with this. See unix(7) for abstract names.
    package static let prefix = LINUX_HANDLE_PREFIX
    /// The byte of a key that is zero: a stroke is no text, wherever it is led to, and whoever chose its key.
    private static let mute = UInt64(littleEndian: 0xff)
    /// Whether others may be asked to ring with it.
    package static func isKey(_ key: UInt64) -> Bool { key & mute == 0 }

    /// A handle without a name: nobody can ring it yet.
    package init() throws(Errno) {
        try self.init(
            owning: Descriptor(owning: try systemCall { socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0) }))
    }

    /// Makes a handle of a datagram socket; strokes with an older key no longer arrive.
    package init(owning descriptor: consuming Descriptor) throws(Errno) {
        var generator = SystemRandomNumberGenerator()
        let key = generator.next() & ~(Self.data | Self.room | Self.mute)
        let raw = descriptor.raw
        _ = try systemCall { linux_filter_key(raw, key) }
        linux_refuse_descriptors(raw)
        self.descriptor = descriptor
        self.key = key
    }

    /// Gives it a name of its own that tells where the network's keeper is met. One that has a name keeps it.
    ///
    /// - Parameter rendezvous: a path; one that is too long for a name is left out, and the handle then means nothing to
    ///   a program that inherits it.
    package borrowing func name(rendezvous: String) throws(Errno) {
        let raw = descriptor.raw
        guard Self.name(of: raw) == nil else { return }
        var generator = SystemRandomNumberGenerator()
        while true {
            let number = String(generator.next(), radix: 16)
            var name = Array("\(Self.prefix)\(rendezvous):\(number)".utf8)
            if name.count > Self.longestName { name = Array("\(Self.prefix):\(number)".utf8) }
            do throws(Errno) {
                _ = try systemCall { name.withUnsafeBytes { linux_bind_abstract(raw, $0.baseAddress, name.count) } }
                return
            } catch {
                guard error == .addressInUse else { throw error }
            }
        }
    }

    /// The name of a descriptor that may be a handle; nil where it is none.
    package static func name(of raw: CInt) -> String? {
        var bytes = [CChar](repeating: 0, count: longestName)
        let length = linux_abstract_name(raw, &bytes, bytes.count)
        guard length > 0 else { return nil }
        let name = String(decoding: bytes[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
        return name.hasPrefix(prefix) ? name : nil
    }

    /// The path in a handle's name.
    package static func rendezvous(inName name: String) -> String? {
        guard let colon = name.lastIndex(of: ":"), name.hasPrefix(prefix) else { return nil }
        let path = name[name.index(name.startIndex, offsetBy: prefix.utf8.count)...][..<colon]
        return path.isEmpty ? nil : String(path)
    }

    /// A socket without a name that has the flags and time-outs of another. See fcntl(2), socket(7).
    package static func socketLike(_ old: CInt) throws(Errno) -> Descriptor {
        let made = Descriptor(
            owning: try systemCall { socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0) })
        let raw = made.raw
        _ = try systemCall { linux_fcntl(raw, F_SETFL, max(linux_fcntl(old, F_GETFL, 0), 0)) }
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            var time = timeval()
            var length = socklen_t(MemoryLayout<timeval>.size)
            if getsockopt(old, SOL_SOCKET, option, &time, &length) == 0 { _ = setsockopt(raw, SOL_SOCKET, option, &time, length) }
        }
        return made
    }

    /// What others ring it by. Each user gets one of its own: what it does to it hinders nobody else.
    package borrowing func clapper() throws(Errno) -> Descriptor {
        let raw = descriptor.raw
        return Descriptor(owning: try systemCall { linux_datagram_to(raw) })
    }

    /// RT safe: one system call that cannot block. A handle that cannot take another stroke is readable.
    /// - Parameter clapper: a socket that sends to it.
    @inline(__always)
    package static func strike(_ clapper: CInt, _ key: UInt64) { linux_send_key(clapper, key) }

    /// Whether its socket has a place for another stroke.
    package static func takesStroke(_ clapper: CInt) -> Bool {
        var entry = pollfd(fd: clapper, events: Int16(POLLOUT), revents: 0)
        return poll(&entry, 1, 0) == 1 && entry.revents & Int16(POLLOUT) != 0
    }

    /// Added to the key by who rings for a message, or for room to send. Without either a stroke says: look at everything.
    package static let data = UInt64(bigEndian: UInt64(LINUX_STROKE_DATA))
    package static let room = UInt64(bigEndian: UInt64(LINUX_STROKE_ROOM))

    /// Takes all strokes back.
    /// - Returns: whether one of them may have been for a message, and whether one may have been for room.
    @discardableResult
    package static func silence(_ raw: CInt) -> (data: Bool, room: Bool) {
        let kinds = linux_drain_datagrams(raw)
        return (kinds & LINUX_STROKE_DATA != 0, kinds & LINUX_STROKE_ROOM != 0)
    }

    private static let longestName = 106
}
