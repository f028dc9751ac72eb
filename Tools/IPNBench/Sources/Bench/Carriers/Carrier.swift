import Glibc

/// What carries messages from one writer to its readers: ours, and what it is measured against.
enum Carrier: Hashable {
    case ipn
    /// SOCK_STREAM of AF_UNIX, one pair for each reader.
    case stream
    /// A bare ring in shared memory with nothing around it: what the machine allows.
    case ring
    /// A bare eventfd; the payload lies in a shared page.
    case event
    /// A shared object under Peers/, by its name. See peer.h.
    case peer(String)

    static let zeromq = Carrier.peer("zeromq")
}

/// As a task's arguments have it.
extension Carrier {
    init(word: String) {
        self =
            switch word {
            case "ipn": .ipn
            case "stream": .stream
            case "ring": .ring
            case "event": .event
            default: .peer(String(word.dropFirst("peer-".count)))
            }
    }

    var word: String {
        switch self {
        case .ipn: "ipn"
        case .stream: "stream"
        case .ring: "ring"
        case .event: "event"
        case .peer(let name): "peer-\(name)"
        }
    }
}

/// The writing end. All carriers are lossless: a full one holds the writer up.
protocol Sender: AnyObject {
    /// Sends one message of `count` bytes that `fill` puts where the carrier wants them.
    func send(_ count: Int, _ fill: (UnsafeMutableRawPointer) -> Void) throws
}

/// A reading end.
protocol Receiver: AnyObject {
    /// Waits for messages and hands each over, until `body` says no; its bytes are valid until it returns.
    func receive(while body: (UnsafeRawPointer) -> Bool) throws
}

/// The first bytes of every message.
struct Header {
    /// Counts up from 0; or one of the marks.
    var sequence: UInt64
    /// CLOCK_MONOTONIC, nanoseconds, right before it was sent.
    var time: UInt64

    static let warmUp = UInt64.max
    static let end = UInt64.max - 1
    static let leadEnd = UInt64.max - 2
    static let size = 16
}

struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }

    /// With the text of errno.
    init(calling call: String, _ number: Int32) {
        self.init("\(call): \(String(cString: strerror(number)))")
    }
}
