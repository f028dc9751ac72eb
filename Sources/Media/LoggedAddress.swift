/// An address as it may be shown, in a message, in `ipn show`, in a log: without what opens doors.
///
/// - A password: `rtsp://me:…@host/1`.
/// - The values of a query, but for those that are known to be harmless: `srt://host:9000?mode=caller&passphrase=…`.
/// - The name of an RTMP stream, which is the key of whoever streams to a platform: `rtmp://host/live/…`.
public struct LoggedAddress: CustomStringConvertible, Sendable, Hashable {
    public let description: String
    /// What was left out.
    let secrets: [String]

    /// - Parameter address: a path is shown as it is.
    public init(_ address: String) {
        guard let start = address.firstRange(of: "://") else {
            (description, secrets) = (address, [])
            return
        }
        var secrets: [String] = []
        description = Self.redact(address[..<start.lowerBound], address[start.upperBound...], &secrets)
        self.secrets = secrets
    }

    /// The same for all addresses that a text quotes, and for `secrets` wherever they stand.
    static func redact(_ text: String, secrets: [String] = []) -> String {
        var result = ""
        for (index, word) in text.split(separator: " ", omittingEmptySubsequences: false).enumerated() {
            if index > 0 { result += " " }
            result += word.contains("://") ? LoggedAddress(String(word)).description : String(word)
        }
        // What is shorter is in every other word.
        for secret in secrets where secret.count >= 4 { result = result.replacing(secret, with: "…") }
        return result
    }

    private static func redact(_ scheme: Substring, _ rest: Substring, _ secrets: inout [String]) -> String {
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let path = rest[authority.endIndex...].prefix { $0 != "?" }
        let query = rest[path.endIndex...].dropFirst()
        var text = "\(scheme)://"
        if let at = authority.lastIndex(of: "@"), let colon = authority[..<at].firstIndex(of: ":") {
            secrets.append(String(authority[authority.index(after: colon)..<at]))
            text += authority[...colon] + "…" + authority[at...]
        } else {
            text += authority
        }
        let segments = path.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        if scheme.hasPrefix("rtmp"), segments.count == 3, !segments[2].isEmpty {
            secrets.append(String(segments[2]))
            text += "/\(segments[1])/…"
        } else {
            text += path
        }
        guard path.endIndex < rest.endIndex else { return text }
        let values = query.split(separator: "&", omittingEmptySubsequences: false).map { pair in
            guard let cut = pair.firstIndex(of: "="), !harmless.contains(String(pair[..<cut])) else { return String(pair) }
            secrets.append(String(pair[pair.index(after: cut)...]))
            return pair[...cut] + "…"
        }
        return text + "?" + values.joined(separator: "&")
    }

    /// Options of libavformat's protocols that say how, and not who.
    private static let harmless: Set<String> = [
        "bitrate", "broadcast", "buffer_size", "connect_timeout", "fifo_size", "latency", "linger", "listen", "localaddr",
        "localport", "maxbw", "mode", "overrun_nonfatal", "payload_size", "peerlatency", "pkt_size", "rcvlatency", "reuse",
        "rist_profile", "rtcpport", "tcp", "tcp_nodelay", "timeout", "tlpktdrop", "transtype", "ttl", "udp",
    ]
}
