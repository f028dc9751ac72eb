import CLinux
import Glibc

/// A file that tells processes at which step of the code to die or to stop (see IPNRing/StepPlan.swift), and one in which they
/// note that they did.
public final class DeathPlan: Sendable {
    private let path: String

    public init(in scratch: Scratch) throws {
        path = scratch("plan")
        try clear()
    }

    /// What a process is to have in its environment to follow it, as keepers do whose starter has it.
    public var environment: String { "IPN_STEP_FILE=\(path)" }

    /// Whoever comes to its first step from here on signals itself at the `pass`th time it is at `step`.
    public func set(_ signal: CInt, at step: String, pass: UInt64 = 1) throws { try write("\(signal) \(pass) \(step)\n") }

    /// Whoever comes to its first step from here on lives.
    public func clear() throws { try write("") }

    /// Who came to its step, in order of time.
    public var hits: [(pid: Int32, step: String)] {
        Self.read(path + ".log").split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ", maxSplits: 1)
            return Int32(words[0]).map { ($0, String(words[1])) }
        }
    }

    public func hasHit(_ pid: Int32) -> Bool { hits.contains { $0.pid == pid } }

    private func write(_ text: String) throws {
        // In one step: a process that starts just now reads all of it or nothing.
        let descriptor = linux_open(path + ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Trouble("cannot write \(path)") }
        _ = text.withCString { Glibc.write(descriptor, $0, strlen($0)) }
        _ = close(descriptor)
        _ = rename(path + ".new", path)
    }

    private static func read(_ path: String) -> String {
        let descriptor = linux_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return "" }
        defer { _ = close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = max(Glibc.read(descriptor, &bytes, bytes.count), 0)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
