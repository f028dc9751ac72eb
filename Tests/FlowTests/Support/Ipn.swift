import Foundation
import Glibc

extension Scratch {
    /// Beside the test bundle.
    static let executable: String = {
        let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent("ipn").path
    }()

    /// A copy of the tool for other users: where it is built may be closed to them.
    func copiedTool() async throws -> String {
        let folder = log("bin")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        chmod(folder, 0o755)
        for name in ["ipn", "ipnd"] {
            let source = URL(fileURLWithPath: Self.executable).deletingLastPathComponent().appendingPathComponent(name).path
            // By a program: a file that this process had written to could not be run while a child of another test
            // that began meanwhile still holds it.
            try await tool("install", "-m", "755", source, "\(folder)/\(name)", in: self)
        }
        return folder + "/ipn"
    }

    /// Starts `ipn`.
    func ipn(_ arguments: String..., environment: [String: String] = [:], output: String? = nil) throws -> Program {
        try ipn(arguments, environment: environment, output: output)
    }

    func ipn(_ arguments: [String], environment: [String: String] = [:], output: String? = nil) throws -> Program {
        try Program([Scratch.executable] + arguments, in: self, environment: environment, output: output)
    }

    /// Asks `ipn show`. Nil where no network is.
    func show(_ network: String) async throws -> Status? {
        let program = try ipn("show", network, "--json")
        guard try await program.ended().status == 0 else { return nil }
        return try JSONDecoder().decode(Status.self, from: Data(program.output.utf8))
    }

    /// Waits until that many receive.
    func awaitReaders(_ count: Int, _ network: String) async throws {
        try await until("\(count) read \(network)") { try await self.show(network)?.readers == count }
    }

    /// Waits until the consumer that writes `name` has received that many messages more; the test signal sends 72 a second.
    func awaitProgress(of name: String, on network: String = "net", by messages: UInt64 = 60) async throws {
        try await awaitProgress(name, by: messages) { try await self.show(network)?.nodes.first { $0.description.hasSuffix(" \(name)") } }
    }

    /// The same for one of several that do the same.
    func awaitProgress(of consumer: Program, by messages: UInt64) async throws {
        try await awaitProgress(consumer.line, by: messages) { try await self.show("net")?.nodes.first { $0.pid == consumer.processID } }
    }

    private func awaitProgress(_ name: String, by messages: UInt64, _ node: () async throws -> Status.Node?) async throws {
        try await until("\(name) is there") { try await node() != nil }
        let before = try await node()?.received ?? 0
        try await until("\(name) gets \(messages) messages more") { try await node()?.received ?? 0 >= before + messages }
    }

    /// Waits for the network that `ipn tee` makes for itself.
    func teeNetwork() async throws -> String {
        func found() -> String? {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: runtime)) ?? []
            return names.first { $0.hasPrefix("ipn-tee.") }.map { "\(runtime)/\($0)/network" }
        }
        try await until("tee has made its network") { found() != nil }
        return found()!
    }

    struct Status: Decodable, Sendable {
        struct Node: Decodable, Sendable {
            let pid: Int32
            let receives, sends: Bool
            let sent, received, sentBytes, receivedBytes, lost, dropped, pending: UInt64
            let lostSeconds: Double?
            let delay: Delay?
            let description: String
        }
        struct Delay: Decodable, Sendable {
            let count: UInt64
            let mean, p50, p99: Double
            let skew: Double?
        }
        let readers, writers, mtu: Int
        let messages, lost: UInt64
        let nodes: [Node]
    }
}
