import IPN

final class IPNSender: Sender {
    private let node: Node

    init(_ path: String) throws {
        node = try Node(connecting: path, directions: .send)
    }

    @inline(__always)
    func send(_ count: Int, _ fill: (UnsafeMutableRawPointer) -> Void) throws {
        try node.send(count) { fill($0.baseAddress!) }
    }
}

final class IPNReceiver: Receiver {
    private let node: Node

    /// - Parameter spins: whether it looks for messages all the time and never sleeps.
    init(_ path: String, spins: Bool) throws {
        node = try Node(connecting: path, directions: .receive)
        if spins { node.spinNanoseconds = 60_000_000_000 }
    }

    @inline(__always)
    func receive(while body: (UnsafeRawPointer) -> Bool) throws {
        var wantsMore = true
        while wantsMore {
            guard let message = try node.begin() else { continue }
            wantsMore = body(message.start!)
            node.end(message)
        }
    }
}
