import CLinux
import Glibc
import IPNControl
import IPNSystem
import SystemPackage

/// The keeper of a network as the system shows it: its process, and where it listens.
public final class KeeperProcess {
    public let pid: Int32
    public let rendezvous: String
    private let process: CInt
    private let door: [Int]?

    /// - Parameter path: of a network that lives.
    public init(of path: String) throws {
        let doors = Rendezvous.doors(try FileStatus(path: path))
        guard let (found, rendezvous) = try Self.all(of: path).first(where: { doors.contains($0.door) }) else {
            throw Trouble("no keeper of \(path) is running")
        }
        pid = found
        self.rendezvous = rendezvous
        door = Self.birth(rendezvous)
        process = linux_peer_pidfd(-1, found)
        guard process >= 0 else { throw Trouble("the keeper of \(path) has ended") }
    }

    deinit { _ = close(process) }

    /// The processes that keep a network, be their doors there or not.
    public static func all(of path: String) throws -> [(pid: Int32, door: String)] {
        // Its last argument has the marker's inode, which is nobody else's as long as it holds it: one that is ending does not.
        let marker = try FileStatus(path: path)
        return Scratch.list("/proc").compactMap { Int32($0) }.compactMap { pid in
            guard let door = arguments(of: pid).last, door.hasSuffix("/\(Rendezvous.name(marker))") else { return nil }
            return (try? FileStatus(path: "/proc/\(pid)/fd/4"))?.isSameFile(as: marker) == true ? (pid, door) : nil
        }
    }

    /// Waits until it has ended.
    public func waitUntilGone() throws {
        guard isReadable(process, milliseconds: watchdogMilliseconds) else { throw Trouble("the keeper stays") }
    }

    public var isRunning: Bool { !isReadable(process) }
    /// How many descriptors it has open.
    public var descriptors: Int { openDescriptors(of: pid) }
    /// Whether its own door is there: the name may be another network's by now, once the inode is.
    public var isListening: Bool { door != nil && Self.birth(rendezvous) == door }

    /// Inode and time of a file, which no two doors share.
    private static func birth(_ path: String) -> [Int]? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        return [Int(status.st_ino), status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
    }

    public func kill() throws {
        _ = Glibc.kill(pid, SIGKILL)
        try waitUntilGone()
    }

    private static func arguments(of pid: Int32) -> [String] {
        let descriptor = linux_open("/proc/\(pid)/cmdline", O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return [] }
        defer { _ = close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 13)
        let count = max(read(descriptor, &bytes, bytes.count), 0)
        return bytes[..<count].split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}

/// Whether a path is there, links not followed.
public func exists(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0
}
