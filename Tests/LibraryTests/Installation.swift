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
    /// - Parameters:
    ///   - isUnderPreload: for a program that calls socket(2), and not the library.
    ///   - flags: instead of those that pkg-config says.
    /// - Returns: the path of the program.
    func compile(_ name: String, isUnderPreload: Bool = false, flags: String? = nil) throws -> String {
        let packages = "PKG_CONFIG_PATH=\(prefix)/lib/pkgconfig"
        let wanted = isUnderPreload ? ["--cflags"] : ["--cflags", "--libs"]
        let flags = try flags ?? wanted.map { try Self.run(packages, "pkg-config", $0, "ipn") }.joined(separator: " ")
        let program = "\(prefix)/\(name)-\(isUnderPreload ? "preload" : "test")"
        let words = flags.split(whereSeparator: \.isWhitespace).joined(separator: " ") + (isUnderPreload ? " -DUNDER_PRELOAD" : "")
        // The compiler that comes with Swift: there is one wherever this is built.
        try Self.run(
            "sh", "-c",
            "exec clang -std=gnu11 -Wall -Wextra -Werror '\(Self.root)/Tests/Programs/\(name).c' -o '\(program)' \(words) -Wl,-rpath,'\(prefix)/lib'"
        )
        return program
    }
}
