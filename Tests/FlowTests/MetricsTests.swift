import Foundation
import Glibc
import Testing

/// `ipn tee --metrics`, asked as Prometheus asks.
@Suite(.onStage) struct MetricsTests {
    /// A party with figures.
    private func withParty(_ options: [String] = [], _ body: (_ scratch: Scratch, _ tee: Program, _ address: String) async throws -> Void)
        async throws
    {
        let scratch = try Scratch()
        let tee = try scratch.ipn(["tee", "test:", "--record", "a \"q.mkv", "--network", "net", "--metrics", "127.0.0.1:0"] + options)
        try await until("it tells where") { tee.complaint.contains("/metrics\n") }
        let address = try #require(tee.complaint.firstMatch(of: /http:[^\n]*/)).output
        try await scratch.awaitProgress(of: "a \"q.mkv", by: 10)
        try await body(scratch, tee, String(address))
        tee.send(SIGINT)
        try await tee.succeeded()
        try await scratch.expectNothingLeft()
    }

    private func figures(_ address: String, in scratch: Scratch) async throws -> String {
        try await tool("curl", "-s", "-f", "-m", "30", address, in: scratch)
    }

    /// The value of a sample.
    private func value(_ name: String, _ label: String, in text: String) -> Double? {
        let line = text.split(separator: "\n").first { $0.hasPrefix(name + "{") && $0.contains(label) }
        return line.flatMap { Double($0.split(separator: " ").last ?? "") }
    }

    @Test func tellsOfEachMember() async throws {
        try await withParty { scratch, _, address in
            try await until("packets are counted") {
                try await self.value("ipn_delay_seconds_count", "role=\"record\"", in: self.figures(address, in: scratch)) ?? 0 >= 20
            }
            let text = try await figures(address, in: scratch)
            #expect(Self.flaws(of: text) == [])
            #expect(text.contains("target=\"a \\\"q.mkv\""))
            for name in ["ipn_frames_total", "ipn_packets_total", "ipn_bytes_total", "ipn_up"] {
                for role in ["record", "publish"] {
                    #expect(try #require(value(name, "role=\"\(role)\"", in: text)) > 0, "\(name) \(role)")
                }
            }
            let head = try await tool("curl", "-s", "-i", "-m", "30", address, in: scratch).prefix { $0 != "#" }
            #expect(head.contains("200 OK") && head.contains("text/plain; version=0.0.4"))
        }
    }

    /// A member that was held up: its histogram has as many, as late.
    @Test func delaysAreAsLongAsTheyWere() async throws {
        let began = ContinuousClock.now
        try await withParty { scratch, _, address in
            func node() async throws -> Scratch.Status.Node? { try await scratch.show("net")?.nodes.first { $0.receives } }
            let recorder = try #require(try await node()?.pid)
            func tally() async throws -> (count: Double, sum: Double, late: Double) {
                let text = try await figures(address, in: scratch)
                func sample(_ name: String, _ label: String = "role=\"record\"") -> Double { value(name, label, in: text) ?? 0 }
                let count = sample("ipn_delay_seconds_count")
                // Of 268 ms: an octave of nanoseconds.
                let soon = sample("ipn_delay_seconds_bucket", "role=\"record\",target=\"a \\\"q.mkv\",le=\"0.268435456\"")
                return (count, sample("ipn_delay_seconds_sum"), count - soon)
            }
            try await until("packets are counted") { try await tally().count > 0 }
            kill(recorder, SIGSTOP)
            try await until("packets wait for it") { try await node()?.pending ?? 0 >= 50 }
            let waiting = ContinuousClock.now
            // The figures are a second old at times: those of one that is stopped stay as they are.
            let taken = Double(try #require(try await node()?.delay).count)
            try await until("all that it took is told") { try await tally().count == taken }
            let before = try await tally()
            let waited = (ContinuousClock.now - waiting) / .seconds(1)
            kill(recorder, SIGCONT)
            try await until("they are counted") { try await tally().count >= before.count + 50 }
            let after = try await tally()
            // 72 a second: of 50 that wait, half have waited for more than a third of a second, and all together for 17 s; and then until it went on.
            #expect(after.late >= before.late + 10, "\(before) \(after)")
            #expect(after.sum >= before.sum + 15 + 50 * waited, "\(before) \(after)")
            let most = Double((ContinuousClock.now - began).components.seconds + 1)
            #expect(after.sum <= after.count * most, "\(after) in \(most) s")
        }
    }

    /// Clients that say nothing, half of something, or take nothing.
    @Test func clientsHoldNobodyUp() async throws {
        try await withParty { scratch, _, address in
            let port = try #require(UInt16(address.split(separator: ":").last?.prefix { $0.isNumber } ?? ""))
            var clients: [CInt] = []
            defer { for client in clients { close(client) } }
            for number in 0..<40 {
                let client = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
                clients.append(client)
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_port = port.bigEndian
                address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
                let status = withUnsafePointer(to: &address) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
                }
                try #require(status == 0)
                let text = ["", "GET /metr", "GET /metrics HTTP/1.1\r\n\r\n", "\u{1}\r\n\r\n"][number % 4]
                _ = send(client, text, text.utf8.count, CInt(MSG_NOSIGNAL))
            }
            try await scratch.awaitProgress(of: "a \"q.mkv")
            #expect(Self.flaws(of: try await figures(address, in: scratch)) == [])
        }
    }

    @Test func restartsAreCounted() async throws {
        try await withParty(["--restart"]) { scratch, _, address in
            try await scratch.awaitProgress(of: "a \"q.mkv", by: 40)
            let victim = try #require(try await scratch.show("net")?.nodes.first { $0.receives })
            let before = try await figures(address, in: scratch)
            kill(victim.pid, SIGKILL)
            try await until("it was started again") {
                try await self.value("ipn_restarts_total", "role=\"record\"", in: self.figures(address, in: scratch)) == 1
            }
            let after = try await figures(address, in: scratch)
            // A counter does not go back.
            for name in ["ipn_packets_total", "ipn_bytes_total"] {
                let (earlier, later) = (value(name, "role=\"record\"", in: before) ?? 0, try #require(value(name, "role=\"record\"", in: after)))
                #expect(later >= earlier, "\(name)")
            }
            try await scratch.awaitProgress(of: "a \"q-2.mkv", by: 10)
        }
    }

    @Test func anAddressThatIsTakenIsTold() async throws {
        try await withParty { scratch, _, address in
            let taken = String(address.dropFirst("http://".count).prefix { $0 != "/" })
            let other = try scratch.ipn("tee", "test:", "--record", "b.mkv", "--metrics", taken)
            #expect(try await other.ended().status == 1)
            #expect(other.complaint.hasPrefix("ipn: \(taken): cannot listen there") && other.complaint.filter { $0 == "\n" }.count == 1)
            #expect(!scratch.has("b.mkv"))
        }
    }

    /// What is wrong with a text of the exposition format, version 0.0.4, as promtool would say.
    private static func flaws(of text: String) -> [String] {
        var flaws: [String] = []
        var types: [String: String] = [:]
        var seen: Set<String> = []
        var last: (series: String, count: Double)?
        if !text.hasSuffix("\n") { flaws.append("no line feed at the end") }
        for line in text.split(separator: "\n").map(String.init) {
            if let match = line.wholeMatch(of: /# TYPE ([a-z_]+) (counter|gauge|histogram)/) {
                types[String(match.1)] = String(match.2)
                continue
            }
            if line.hasPrefix("# HELP ") { continue }
            guard let match = line.wholeMatch(of: /([a-z_]+)\{((?:[a-z]+="(?:[^"\\]|\\["\\n])*",?)+)\} (-?[0-9.e+-]+)/), let value = Double(match.3)
            else {
                flaws.append(line)
                continue
            }
            let (name, labels) = (String(match.1), String(match.2))
            let family = ["_bucket", "_sum", "_count"].reduce(name) { $0.hasSuffix($1) ? String($0.dropLast($1.count)) : $0 }
            let type = types[family] ?? types[name]
            if type == nil { flaws.append("without a type: \(line)") }
            if (type == "counter") != name.hasSuffix("_total") { flaws.append("named like something else: \(line)") }
            if !seen.insert(name + labels).inserted { flaws.append("twice: \(line)") }
            // Buckets of a series rise, up to its count.
            let series = family + (labels.components(separatedBy: ",le=").first ?? "")
            if name.hasSuffix("_bucket") {
                if let last, last.series == series, value < last.count { flaws.append("falls: \(line)") }
                last = (series, value)
            } else if name.hasSuffix("_count"), last?.series != series || last?.count != value {
                flaws.append("not what its buckets say: \(line)")
            }
        }
        return types.isEmpty ? flaws + ["no figures"] : flaws
    }
}
