import IPN
import Media
import Service

/// What networks did between two looks.
struct TopSample {
    struct Network: Encodable {
        let path: String
        let lossless: Bool
        let readers, writers: Int
        /// Messages and bytes a second that its writers sent.
        let rate, bytesRate: Double
        let messages, lost: UInt64
        let nodes: [Node]
    }

    struct Node: Encodable {
        let pid, uid: Int
        let receives, sends: Bool
        /// Messages a second, sent and received; lost since it joined, lost a second, and still to be read.
        let sentRate, receivedRate, lostRate: Double
        let sentBytesRate, receivedBytesRate: Double
        let lost, pending: UInt64
        let lostSeconds: Double?
        /// Of what was received between the looks.
        let delay: DelayReport?
        let description: String
        /// What a publisher of media says that it sends.
        let streams: [StreamLabel]

        var rate: Double { max(sentRate, receivedRate) }
        var bytesRate: Double { max(sentBytesRate, receivedBytesRate) }
    }

    let time: Int64
    private let statuses: [NetworkStatus]

    /// Looks at networks; those that are gone, or not ours to see, are missing.
    init(_ paths: [String]) {
        time = monotonicNanoseconds()
        statuses = paths.compactMap { try? NetworkStatus(of: $0) }
    }

    /// Busiest first: networks, and the nodes of each.
    func networks(since last: TopSample) -> [Network] {
        let seconds = max(Double(time - last.time) / 1e9, 0.001)
        return statuses.map { status in
            let before = last.statuses.first { $0.path == status.path }?.nodes ?? []
            let nodes = status.nodes.map { node in Self.node(node, before.first { Self.isSame($0, node) }, seconds) }
                .sorted { ($1.sends ? 0 : 1, $0.rate, $1.pid) > ($0.sends ? 0 : 1, $1.rate, $0.pid) }
            return Network(
                path: status.path, lossless: status.options.isLossless, readers: status.readers, writers: status.writers,
                rate: nodes.reduce(0) { $0 + $1.sentRate }, bytesRate: nodes.reduce(0) { $0 + $1.sentBytesRate },
                messages: status.sent, lost: status.lost, nodes: nodes)
        }.sorted { ($0.rate, $1.path) > ($1.rate, $0.path) }
    }

    private static func isSame(_ one: NetworkStatus.NodeStatus, _ other: NetworkStatus.NodeStatus) -> Bool {
        one.processID == other.processID && one.port == other.port && one.receives == other.receives && one.sends == other.sends
    }

    private static func delay(_ now: NetworkStatus.NodeStatus, _ before: NetworkStatus.NodeStatus?) -> DelayReport? {
        guard let delays = now.delays else { return nil }
        return DelayReport(before?.delays.map(delays.since) ?? delays)
    }

    private static func node(_ now: NetworkStatus.NodeStatus, _ before: NetworkStatus.NodeStatus?, _ seconds: Double) -> Node {
        // Each count is its node's word only: one that went back is no rate. Who has just come is counted from the next look on.
        func rate(_ count: (NetworkStatus.NodeStatus) -> UInt64) -> Double {
            guard let before, count(now) > count(before) else { return 0 }
            return Double(count(now) - count(before)) / seconds
        }
        return Node(
            pid: now.processID, uid: now.userID, receives: now.receives, sends: now.sends, sentRate: rate(\.sent),
            receivedRate: rate(\.received), lostRate: rate { $0.lost &+ $0.dropped }, sentBytesRate: rate(\.sentBytes),
            receivedBytesRate: rate(\.receivedBytes), lost: now.lost &+ now.dropped, pending: now.pending,
            lostSeconds: now.lostSeconds, delay: delay(now, before), description: now.description,
            streams: StreamLabel.streams(in: now.description))
    }
}
