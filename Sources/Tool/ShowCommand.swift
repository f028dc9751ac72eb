import ArgumentParser
import Foundation
import IPN

struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Print a network's options, nodes, messages and losses.",
        discussion: """
            LOST is how many messages a node lost, MISSING how much of the stream that was, as far as it says so: media consumers do.

            EXAMPLES
              ipn show /tmp/net
              ipn show /tmp/net --json | jq '.nodes[].lost'
            """)

    @Argument(help: "The network.", completion: .file())
    var path: String
    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let status = try NetworkStatus(of: path)
        if json { try printJSON(status) } else { printTable(status) }
    }

    private func printTable(_ status: NetworkStatus) {
        let options = status.options
        print(
            "\(path): \(options.protocolNumber == 1 ? "broadcast" : "protocol \(options.protocolNumber)"), \(options.isLossless ? "lossless" : "lossy"), mtu \(options.mtu), pool \(options.poolSize),"
                + " history \(options.history), mode \(String(status.permissions, radix: 8)), owner \(userName(status.ownerID))"
                + (options.isPersistent ? ", persistent" : ""))
        print(
            "\(status.nodes.count) of \(options.nodeLimit) nodes, \(status.readers) readers, \(status.writers) writers,"
                + " \(status.sent) messages, \(status.lost) lost")
        guard !status.nodes.isEmpty else { return }
        var rows = [["PORT", "PID", "USER", "RW", "SENT", "RECEIVED", "LOST", "MISSING", "PENDING", "DESCRIPTION"]]
        for node in status.nodes {
            rows.append([
                node.port.map(String.init) ?? "-", "\(node.processID)", userName(node.userID),
                (node.receives ? "r" : "-") + (node.sends ? "w" : "-"), "\(node.sent)", "\(node.received)",
                "\(node.lost &+ node.dropped)", TopTable.time(node.lostSeconds.map { $0 * 1000 }), "\(node.pending)",
                shown(node.description),
            ])
        }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        for row in rows {
            let cells = row.enumerated().map { $1.padding(toLength: max(widths[$0], 1), withPad: " ", startingAt: 0) }
            print(cells.joined(separator: "  ").trimmingCharacters(in: .whitespaces))
        }
    }

    private func userName(_ userID: Int) -> String {
        getpwuid(uid_t(userID)).map { String(cString: $0.pointee.pw_name) } ?? "\(userID)"
    }

    private func printJSON(_ status: NetworkStatus) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(NetworkReport(status)), as: UTF8.self))
    }
}

/// The JSON of `ipn show --json`. Keys stay; new ones may come.
private struct NetworkReport: Encodable {
    let path: String
    let lossless: Bool
    let persistent: Bool
    let `protocol`, mtu, pool, history, nodeLimit: Int
    let mode: String
    let owner, readers, writers: Int
    let messages, lost: UInt64
    let nodes: [NodeReport]

    struct NodeReport: Encodable {
        let port: Int?
        let pid, uid: Int
        let receives, sends: Bool
        let sent, received, sentBytes, receivedBytes, lost, dropped, pending: UInt64
        let lostSeconds: Double?
        let delay: DelayReport?
        let description: String
    }

    init(_ status: NetworkStatus) {
        path = status.path
        lossless = status.options.isLossless
        persistent = status.options.isPersistent
        `protocol` = status.options.protocolNumber
        mtu = status.options.mtu
        pool = status.options.poolSize
        history = status.options.history
        nodeLimit = status.options.nodeLimit
        mode = String(status.permissions, radix: 8)
        owner = status.ownerID
        readers = status.readers
        writers = status.writers
        messages = status.sent
        lost = status.lost
        nodes = status.nodes.map {
            NodeReport(
                port: $0.port, pid: $0.processID, uid: $0.userID, receives: $0.receives, sends: $0.sends, sent: $0.sent,
                received: $0.received, sentBytes: $0.sentBytes, receivedBytes: $0.receivedBytes, lost: $0.lost, dropped: $0.dropped,
                pending: $0.pending, lostSeconds: $0.lostSeconds,
                delay: $0.delays.flatMap(DelayReport.init), description: $0.description)
        }
    }
}
