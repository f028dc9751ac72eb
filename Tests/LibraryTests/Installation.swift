import Foundation
import TestSupport

/// What `Tools/install` puts in place, used as a program's author would: headers and libraries through pkg-config.
final class Installation: Sendable {
    let prefix: String
    /// Once for all tests: nothing changes it.
    static let shared = Result { try Installation() }

    private init() throws {
        prefix = "/tmp/ipn-install-\(getpid())"
        try Self.run(Self.root + "/Tools/install", "--prefix", prefix, "--built", Self.built)
        atexit {
            if case .success(let installation) = Installation.shared { try? FileManager.default.removeItem(atPath: installation.prefix) }
        }
    }

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    private static let built = (Child.built("ipn") as NSString).deletingLastPathComponent

    @discardableResult
    static func run(_ words: String...) throws -> String {
        let result = try Child.run("/usr/bin/env", words)
        guard result.status == 0 else { throw Trouble("\(words.joined(separator: " ")): \(result.errors)") }
        return result.text
    }

    /// Compiles a program of Tests/Programs against what is installed.
    /// - Returns: the path of the program.
    func compile(_ name: String) throws -> String {
        let flags = try Self.run("PKG_CONFIG_PATH=\(prefix)/lib/pkgconfig", "pkg-config", "--cflags", "--libs", "ipn")
        let program = "\(prefix)/\(name)-test"
        // The compiler that comes with Swift: there is one wherever this is built.
        try Self.run(
            "sh", "-c",
            "exec clang -std=gnu11 -Wall -Wextra -Werror '\(Self.root)/Tests/Programs/\(name).c' -o '\(program)' \(flags.trimmingCharacters(in: .newlines)) -Wl,-rpath,'\(prefix)/lib'"
        )
        return program
    }
}
