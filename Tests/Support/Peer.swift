import CLinux
import Glibc

/// A node in a process of its own, told what to do line by line. See TestPeer for the words.
public final class Peer {
    public let child: Child

    /// - Parameter environment: variables to set, as `NAME=VALUE`.
    public init(user: UInt32? = nil, environment: [String] = []) throws {
        let words = user.map { ["peer", "\($0)"] } ?? ["peer"]
        child = try Child("/usr/bin/env", environment + [Child.built("TestPeer")] + words)
    }

    /// Says a line, without waiting for the answer.
    public func tell(_ words: String) throws { try child.write(words + "\n") }

    /// The next answer.
    public func answer() throws -> String { try child.line() }

    /// Says a line and takes its answer.
    @discardableResult
    public func ask(_ words: String) throws -> String {
        try tell(words)
        return try answer()
    }

    /// Asks for something that must work.
    @discardableResult
    public func expect(_ words: String) throws -> String {
        let answer = try ask(words)
        guard answer == "ok" || answer.hasPrefix("ok ") else { throw Trouble("\(words): \(answer)") }
        return String(answer.dropFirst(3))
    }

    public func kill() { child.kill() }
}
