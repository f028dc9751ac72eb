import IPN
import Media

/// Prometheus's text format, version 0.0.4.
enum MetricsText {
    /// Seconds that buckets end at: octaves of 1024 ns, as readers count them, from 131 us to 8.6 s.
    private static let limits: [UInt64] = (17...33).map { 1 << $0 }

    private struct Family: Sendable {
        let name: String
        let type: String
        let help: String
        let value: @Sendable (PartyMetrics.Member) -> String
    }

    private static let families = [
        Family(name: "ipn_frames_total", type: "counter", help: "Pictures that went through; packets where there are none.") {
            "\($0.progress.frames)"
        },
        Family(name: "ipn_packets_total", type: "counter", help: "Packets that went through.") { "\($0.progress.packets)" },
        Family(name: "ipn_bytes_total", type: "counter", help: "Bytes of packets that went through.") { "\($0.progress.bytes)" },
        Family(name: "ipn_lost_messages_total", type: "counter", help: "Messages that were overwritten before they were taken.") {
            "\($0.progress.lost)"
        },
        Family(name: "ipn_lost_seconds_total", type: "counter", help: "Time of the stream that is missing for what was lost or passed over.") {
            "\(Double($0.progress.lostTime) / 1e9)"
        },
        Family(name: "ipn_passed_over_messages_total", type: "counter", help: "Messages passed over for a newer key frame.") {
            "\($0.progress.passedOver)"
        },
        Family(name: "ipn_restarts_total", type: "counter", help: "Times that it was started again.") { "\($0.restarts)" },
        Family(name: "ipn_up", type: "gauge", help: "Whether its process runs.") { $0.isRunning ? "1" : "0" },
    ]

    static func text(of members: [PartyMetrics.Member], _ nodes: [NetworkStatus.NodeStatus]) -> String {
        var text = ""
        for family in families {
            text += "# HELP \(family.name) \(family.help)\n# TYPE \(family.name) \(family.type)\n"
            for (number, member) in members.enumerated() { text += "\(family.name){\(labels(number, member))} \(family.value(member))\n" }
        }
        // By process: each has one node that receives.
        let delays = members.map { member in nodes.first { $0.receives && $0.processID == Int(member.processID) }?.delays }
        text += "# HELP ipn_delay_seconds From capture until it was taken.\n# TYPE ipn_delay_seconds histogram\n"
        for (number, (member, delays)) in zip(members, delays).enumerated() {
            if let delays { text += histogram("ipn_delay_seconds", labels(number, member), delays) }
        }
        text += "# HELP ipn_skew_seconds By how much later pictures are taken than their sound.\n# TYPE ipn_skew_seconds gauge\n"
        for (number, (member, delays)) in zip(members, delays).enumerated() {
            if let skew = delays?.skew { text += "ipn_skew_seconds{\(labels(number, member))} \(Double(skew) / 1e9)\n" }
        }
        return text
    }

    private static func histogram(_ name: String, _ labels: String, _ delays: NetworkStatus.Delays) -> String {
        let counts = delays.cumulative(below: limits)
        let buckets = zip(limits, counts).map { "\(name)_bucket{\(labels),le=\"\(Double($0) / 1e9)\"} \($1)\n" }
        return buckets.joined() + "\(name)_bucket{\(labels),le=\"+Inf\"} \(delays.count)\n"
            + "\(name)_sum{\(labels)} \(Double(delays.sum) / 1e9)\n\(name)_count{\(labels)} \(delays.count)\n"
    }

    /// The number tells two apart that do the same.
    private static func labels(_ number: Int, _ member: PartyMetrics.Member) -> String {
        "member=\"\(number)\",role=\"\(member.role)\",target=\"\(escaped(member.target))\""
    }

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.append(character)
            }
        }
    }
}
