import CLinux
import Glibc
import IPNSystem

/// A directory of one's own that others may reach, removed with all that is in it.
public final class Scratch: Sendable {
    public let path: String

    public init() throws {
        var template = Array("/tmp/ipn-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Trouble("mkdtemp: \(String(cString: strerror(errno)))") }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        _ = chmod(path, 0o755)
    }

    public func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    /// The names in it.
    public var contents: [String] { Self.list(path).sorted() }

    deinit {
        // Processes that are ending may still make or rename something here.
        for _ in 0..<1000 {
            for name in Self.list(path) { _ = unlink("\(path)/\(name)") }
            if rmdir(path) == 0 { return }
            usleep(1000)
        }
    }

    public static func list(_ directory: String) -> [String] { names(in: directory) }
}

/// A test cannot go on.
public struct Trouble: Error, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

/// What ends a wait for something that never comes. It is no measure of anything.
public let watchdogMilliseconds: CInt = 60_000

/// Whether tests may become other users.
public var isRoot: Bool { geteuid() == 0 }

/// A user who is nobody in particular.
public let stranger: UInt32 = 65_533

/// Looks again and again where nothing tells: only for what has no event.
public func eventually(_ what: @autoclosure () -> String, _ condition: () throws -> Bool) throws {
    var begin = timespec()
    clock_gettime(CLOCK_MONOTONIC, &begin)
    while try !condition() {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        guard now.tv_sec - begin.tv_sec < Int(watchdogMilliseconds) / 1000 else { throw Trouble("never happened: \(what())") }
        usleep(1000)
    }
}

/// Waits until a descriptor is readable, as any program with poll(2) would.
/// - Returns: whether it was in time.
public func isReadable(_ descriptor: CInt, milliseconds: CInt = 0) -> Bool {
    var set = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    while true {
        let result = poll(&set, 1, milliseconds)
        if result < 0 && errno == EINTR { continue }
        return result > 0
    }
}
