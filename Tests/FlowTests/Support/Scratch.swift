import Foundation
import Glibc
import Synchronization

/// A test's own folder, with a root of its own for what networks put into the file system. Goes with the test.
final class Scratch: Sendable {
    let path: String
    private let count = Mutex(0)
    /// Where the runtime files of networks are, and where temporary folders are made.
    let runtime: String
    private let logs: String
    /// The user's: what sound servers and fonts put down for a user who had nothing yet is nothing of ours.
    private let home: String

    init() throws {
        let base = "/tmp/ipn-flow-\(getpid())-\(UUID().uuidString.prefix(8))"
        path = base + "/files"
        runtime = base + "/run"
        logs = base + "/logs"
        home = base + "/home"
        for folder in [path, runtime, logs, home] {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        // Also for other users.
        for folder in [base, path, runtime, logs, home] { chmod(folder, 0o777) }
    }

    deinit {
        // A test that failed may have left a network that persists.
        for id in keepers() { kill(id, SIGKILL) }
        try? FileManager.default.removeItem(atPath: (path as NSString).deletingLastPathComponent)
    }

    var environment: [String: String] {
        [
            "IPN_RUNTIME_ROOT": runtime, "TMPDIR": runtime, "HOME": home, "XDG_RUNTIME_DIR": home, "DISPLAY": "",
            "WAYLAND_DISPLAY": "",
        ]
    }

    func file(_ name: String) -> String { path + "/" + name }
    func log(_ name: String) -> String { logs + "/" + name }
    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name)) }
    func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    func size(_ name: String) -> Int {
        var status = stat()
        return stat(file(name), &status) == 0 ? Int(status.st_size) : 0
    }

    func nextName() -> String {
        count.withLock {
            $0 += 1; return "\($0)"
        }
    }

    /// The keepers of networks of this test: their command lines name its runtime folder.
    func keepers() -> [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { id in
            guard let data = FileManager.default.contents(atPath: "/proc/\(id)/cmdline") else { return false }
            let words = String(decoding: data, as: UTF8.self).split(separator: "\0")
            return words.first?.hasSuffix("/ipnd") == true && words.contains { $0.hasPrefix(runtime + "/") }
        }
    }

    /// What is left of networks: sockets and temporary folders. The locks stay, one per user.
    func leftovers() -> [String] {
        let all = (FileManager.default.enumerator(atPath: runtime)?.allObjects as? [String]) ?? []
        return all.filter { name in
            let parts = name.split(separator: "/")
            if parts.last == "lock" { return false }
            return !(parts.count == 1 && name.hasPrefix(".ipn-"))
        }
    }

    /// Waits until the networks are gone without a trace, and fails if they never are.
    func expectNothingLeft() async throws {
        try await until("nothing of the network is left: \(leftovers())", within: 60) { leftovers().isEmpty }
    }
}

/// What the tests publish.
enum Fixture {
    /// 5.28 seconds: 132 pictures of H.264 and AAC 5.1.
    static let bunny = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fixtures/bigbuckbunny.mp4").path
}
