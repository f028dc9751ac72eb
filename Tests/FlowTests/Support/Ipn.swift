import Foundation

extension Scratch {
    /// Beside the test bundle.
    static let executable: String = {
        let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent("ipn").path
    }()

    /// Starts `ipn`.
    func ipn(_ arguments: String..., environment: [String: String] = [:], output: String? = nil) throws -> Program {
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

    /// Waits until a file has grown by that many octets over what it has now.
    func awaitGrowth(_ name: String, by octets: Int = 60_000) async throws {
        let before = size(name)
        try await until("\(name) has grown beyond \(before)") { self.size(name) > before + octets }
    }

    struct Status: Decodable, Sendable {
        struct Node: Decodable, Sendable {
            let pid: Int32
            let receives, sends: Bool
            let sent, received, lost, dropped, pending: UInt64
            let description: String
        }
        let readers, writers, mtu: Int
        let messages, lost: UInt64
        let nodes: [Node]
    }
}
