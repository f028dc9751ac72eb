import Glibc
import IPNSystem
import Media

/// One client, whatever it is doing. Never waits for it.
struct HTTPConnection: ~Copyable {
    enum State: Equatable {
        case asking
        /// Takes what comes on a channel, for ever.
        case listening(HTTPChannel)
        /// Takes one picture.
        case awaitingPicture
        /// Is sent what is left, and goes.
        case leaving
    }

    let socket: Descriptor
    private(set) var state = State.asking
    /// When it has to have asked, or to have got its picture; nanoseconds on CLOCK_MONOTONIC.
    private var deadline: Int64
    private var head: [UInt8] = []
    /// What it listens to goes out in chunks.
    private var isChunked = false
    private var queue: [[UInt8]] = []
    /// Of the first in the queue, what was sent.
    private var sent = 0
    private var queued = 0
    /// When it last took anything, or had nothing to take.
    private var lastTaken: Int64

    /// Octets that may wait for a client, beside those it began with, and how long it may take none of them: who is slower
    /// has to go.
    private static let limit = 16 << 20
    private static let stall: Int64 = 5_000_000_000
    private static let patience: Int64 = 10_000_000_000

    init(_ socket: consuming Descriptor, now: Int64) {
        // What waits in the kernel is late as well.
        var size: CInt = 512 << 10
        setsockopt(socket.raw, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<CInt>.size))
        lastTaken = now
        self.socket = socket
        deadline = now + Self.patience
    }

    /// What poll(2) is to look for.
    var events: Int16 { queue.isEmpty ? Int16(POLLIN) : Int16(POLLIN | POLLOUT) }
    var isDone: Bool { state == .leaving && queue.isEmpty }

    mutating func append(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        if isChunked { enqueue(Array("\(String(bytes.count, radix: 16))\r\n".utf8)) }
        enqueue(bytes)
        if isChunked { enqueue([13, 10]) }
    }

    private mutating func enqueue(_ bytes: [UInt8]) {
        queue.append(bytes)
        queued += bytes.count
    }

    mutating func listen(to channel: HTTPChannel, head: [UInt8], isChunked: Bool, from start: [[UInt8]]) {
        state = .listening(channel)
        append(head)
        self.isChunked = isChunked
        for bytes in start { append(bytes) }
        // What it begins with does not make it slow.
        queued = 0
    }

    mutating func awaitPicture(_ now: Int64) {
        state = .awaitingPicture
        deadline = now + Self.patience
    }

    mutating func leave(with bytes: [UInt8]) {
        append(bytes)
        if isChunked { enqueue(Array("0\r\n\r\n".utf8)) }
        isChunked = false
        state = .leaving
    }

    /// Takes in what came.
    /// - Returns: false if it is gone.
    mutating func read(_ answer: (inout HTTPConnection, HTTPRequest) -> Void) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(socket.raw, &buffer, buffer.count, CInt(MSG_DONTWAIT))
        if count < 0 { return errno == EAGAIN || errno == EINTR }
        guard count > 0 else { return false }
        // What comes after the question is for nobody.
        guard state == .asking else { return true }
        head += buffer[..<count]
        switch HTTPRequest.parse(head) {
        case .incomplete: break
        case .bad(let status): leave(with: status.answer)
        case .request(let request): answer(&self, request)
        }
        return true
    }

    /// Sends what the socket takes now.
    /// - Returns: false if it is gone.
    mutating func flush(_ now: Int64) -> Bool {
        if queue.isEmpty { lastTaken = now }
        while let first = queue.first {
            let count = first.withUnsafeBytes { bytes in
                let rest = UnsafeRawBufferPointer(rebasing: bytes[sent...])
                return send(socket.raw, rest.baseAddress, rest.count, CInt(MSG_DONTWAIT | MSG_NOSIGNAL))
            }
            if count < 0 { return errno == EAGAIN || errno == EINTR }
            sent += count
            lastTaken = now
            guard sent == first.count else { return true }
            queued = max(0, queued - first.count)
            sent = 0
            queue.removeFirst()
        }
        return true
    }

    /// - Returns: false if it is too slow to be kept.
    mutating func isKept(_ now: Int64) -> Bool {
        guard queued <= Self.limit, now - lastTaken < Self.stall else { return false }
        guard now >= deadline else { return true }
        switch state {
        case .asking:
            leave(with: HTTPStatus.timedOut.answer)
            deadline = now + Self.patience
        case .awaitingPicture:
            leave(with: HTTPStatus.unavailable.answer)
            deadline = now + Self.patience
        case .leaving: return false
        case .listening: break
        }
        return true
    }
}

/// What can be listened to.
enum HTTPChannel: Int, CaseIterable, Sendable {
    case stream, audio, pictures

    var path: String {
        switch self {
        case .stream: "/stream.ts"
        case .audio: "/audio"
        case .pictures: "/stream.mjpeg"
        }
    }
}
