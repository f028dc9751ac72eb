/// The head of a request, as far as a server needs it that only gives (RFC 9112).
struct HTTPRequest: Equatable {
    enum Verdict: Equatable {
        case incomplete
        case request(HTTPRequest)
        /// A status that says why not.
        case bad(HTTPStatus)
    }

    /// Octets that a head may have.
    static let limit = 8192

    /// Without its query.
    let path: String
    /// Only the head of the answer is wanted.
    let isHead: Bool
    /// Whoever asks knows chunks, and so the end of a stream from a connection that broke (RFC 9112, 7.1).
    let takesChunks: Bool

    /// Judges what has arrived so far.
    static func parse(_ bytes: [UInt8]) -> Verdict {
        guard let end = bytes.firstRange(of: [13, 10, 13, 10]) ?? bytes.firstRange(of: [10, 10]) else {
            return bytes.count < limit ? .incomplete : .bad(.headTooLarge)
        }
        guard end.lowerBound < limit else { return .bad(.headTooLarge) }
        // Nothing but visible characters, or it is no HTTP at all.
        guard bytes[..<end.lowerBound].allSatisfy({ (0x20...0x7e).contains($0) || $0 == 9 || $0 == 10 || $0 == 13 }) else {
            return .bad(.badRequest)
        }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(whereSeparator: \.isNewline)
        let words = (lines.first ?? "").split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, words[2].hasPrefix("HTTP/1."), words[1].hasPrefix("/") else { return .bad(.badRequest) }
        // A tab is for the fields below.
        guard words[1].utf8.allSatisfy({ $0 > 0x20 }) else { return .bad(.badRequest) }
        guard words[0] == "GET" || words[0] == "HEAD" else { return .bad(.methodNotAllowed) }
        guard isOurs(host(in: lines.dropFirst())) else { return .bad(.forbidden) }
        let path = String(words[1].prefix { $0 != "?" })
        return .request(HTTPRequest(path: path, isHead: words[0] == "HEAD", takesChunks: words[2] != "HTTP/1.0"))
    }

    private static func host(in lines: ArraySlice<Substring>) -> Substring? {
        for line in lines {
            guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == "host" else { continue }
            return line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
        }
        return nil
    }

    /// A page of somebody else's can point a name of theirs at this machine, and have a browser fetch the camera for them
    /// (DNS rebinding). They cannot do that with an address.
    private static func isOurs(_ host: Substring?) -> Bool {
        guard let host else { return true }
        if host.hasPrefix("[") { return true }
        let name = host.prefix { $0 != ":" }
        return name.lowercased() == "localhost" || name.allSatisfy { $0.isNumber || $0 == "." }
    }
}

/// What an answer begins with.
enum HTTPStatus: Int {
    case ok = 200
    case badRequest = 400
    case forbidden = 403
    case notFound = 404
    case methodNotAllowed = 405
    case timedOut = 408
    case headTooLarge = 431
    case unavailable = 503

    var reason: String {
        switch self {
        case .ok: "OK"
        case .badRequest: "Bad Request"
        case .forbidden: "Forbidden"
        case .notFound: "Not Found"
        case .methodNotAllowed: "Method Not Allowed"
        case .timedOut: "Request Timeout"
        case .headTooLarge: "Request Header Fields Too Large"
        case .unavailable: "Service Unavailable"
        }
    }

    /// The head of an answer. Its body ends with the connection, or with its last chunk: a stream knows no length.
    func head(type: String, isChunked: Bool = false) -> [UInt8] {
        let allow = self == .methodNotAllowed ? "Allow: GET, HEAD\r\n" : ""
        let coding = isChunked ? "Transfer-Encoding: chunked\r\n" : ""
        return Array(
            """
            HTTP/1.1 \(rawValue) \(reason)\r
            Content-Type: \(type)\r
            Cache-Control: no-store\r
            Connection: close\r
            \(allow)\(coding)\r\n
            """.utf8)
    }

    /// An answer that is an error, in a line.
    var answer: [UInt8] { head(type: "text/plain") + Array("\(rawValue) \(reason)\n".utf8) }
}
