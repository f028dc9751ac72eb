import Glibc
import IPNSystem
import Media
private import Synchronization
import SystemPackage

/// A small HTTP server that gives live channels to whoever asks, on a thread of its own. What is published goes to each
/// client's own queue; nobody waits for a client, and one whose queue runs over is dropped.
///
/// Not a library's: FlyingFox, which would be small enough, waits for ever for a client that does not read, closes without
/// an answer where a request makes no sense, and sets a head no limit; SwiftNIO would take longer to build than all of this.
final class HTTPServer: Sendable {
    /// For those who listen to a channel: the type, what it begins with, and whether there is any.
    struct Offer: Sendable {
        var type: String
        /// Who listens goes on with an offer of the same, and is sent away by another one.
        var codecs: [String]
        var header: [UInt8] = []
    }

    private enum Post: Sendable {
        case offer(HTTPChannel, Offer?)
        /// - isStart: a client may begin here, and all before it is history.
        case bytes(HTTPChannel, [UInt8], isStart: Bool)
        case picture([UInt8])
        case page(path: String, type: String, [UInt8])
        case end
    }

    /// Where it listens, as it turned out: `127.0.0.1:8080`.
    let address: String
    private let listener: Descriptor
    private let posted: EventCounter
    private let posts = Mutex<[Post]>([])
    private let demand = Atomic<Int>(0)
    private let hasEnded = Atomic<Bool>(false)

    /// Whether somebody wants pictures.
    var wantsPictures: Bool { demand.load(ordering: .relaxed) > 0 }
    var isOver: Bool { hasEnded.load(ordering: .acquiring) }

    /// - Throws: `.cannotOpen`, with the address.
    init(_ address: ListenAddress) throws(MediaError) {
        let listener = try address.open()
        do throws(Errno) {
            posted = try EventCounter()
        } catch {
            throw MediaError(.cannotOpen, object: address.text, what: "no descriptor left", cause: "\(error)")
        }
        self.address = address.text(of: listener)
        self.listener = listener
    }

    /// - Throws: `.cannotOpen` without memory for its thread.
    func start() throws(MediaError) {
        do throws(Errno) {
            try startThread {
                var loop = HTTPLoop(self)
                loop.run()
            }
        } catch {
            throw MediaError(.cannotOpen, object: address, what: "no thread to serve it", cause: "\(error)")
        }
    }

    func offer(_ channel: HTTPChannel, _ offer: Offer?) { post(.offer(channel, offer)) }
    func publish(_ bytes: [UInt8], on channel: HTTPChannel, isStart: Bool) { post(.bytes(channel, bytes, isStart: isStart)) }
    func publish(picture: [UInt8]) { post(.picture(picture)) }
    /// From now on whoever asks for that path gets this.
    func publish(page: [UInt8], type: String, at path: String) { post(.page(path: path, type: type, page)) }

    /// Lets clients have what waits for them for up to a second, and ends.
    func end() {
        post(.end)
        let limit = monotonicNanoseconds() + 1_500_000_000
        while !isOver && monotonicNanoseconds() < limit { usleep(2000) }
    }

    private func post(_ post: Post) {
        posts.withLock { $0.append(post) }
        posted.raise()
    }

    /// The thread of a server, and all that belongs to it alone.
    private struct HTTPLoop: ~Copyable {
        private let server: HTTPServer
        private var clients: [Slot] = []
        private var offers: [HTTPChannel: Offer] = [:]
        private var pages: [String: (type: String, bytes: [UInt8])] = [:]
        /// What was sent since the last start: whoever comes begins there.
        private var recent: [HTTPChannel: [[UInt8]]] = [:]
        private var end: Int64?

        /// A place for a connection, which cannot be copied into an array.
        private final class Slot {
            var connection: HTTPConnection
            var isGone = false
            init(_ connection: consuming HTTPConnection) { self.connection = connection }
        }

        private static let clientLimit = 64
        private static let recentLimit = 16 << 20

        init(_ server: HTTPServer) { self.server = server }

        mutating func run() {
            while !isFinished {
                var set = [
                    pollfd(fd: server.posted.descriptor.raw, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: clients.count < Self.clientLimit ? server.listener.raw : -1, events: Int16(POLLIN), revents: 0),
                ]
                set += clients.map { pollfd(fd: $0.connection.socket.raw, events: $0.connection.events, revents: 0) }
                _ = poll(&set, nfds_t(set.count), end == nil ? 1000 : 20)
                takePosts(isRaised: set[0].revents != 0)
                let now = monotonicNanoseconds()
                for (slot, polled) in zip(clients, set[2...]) { serve(slot, polled.revents, now) }
                if set[1].revents != 0 { accept(now) }
                clients.removeAll { $0.isGone }
                let wanting = clients.count { $0.connection.state == .awaitingPicture || $0.connection.state == .listening(.pictures) }
                server.demand.store(wanting, ordering: .relaxed)
            }
            server.hasEnded.store(true, ordering: .releasing)
        }

        private var isFinished: Bool {
            guard let end else { return false }
            return clients.isEmpty || monotonicNanoseconds() >= end
        }

        private mutating func takePosts(isRaised: Bool) {
            if isRaised { server.posted.clear() }
            let posts = server.posts.withLock { posts in
                defer { posts = [] }
                return posts
            }
            for post in posts { take(post) }
        }

        private mutating func take(_ post: Post) {
            switch post {
            case .offer(let channel, let offer):
                let goesOn = offer != nil && offer?.codecs == offers[channel]?.codecs
                offers[channel] = offer
                recent[channel] = []
                for slot in listeners(of: channel) {
                    // What it has was sent to its end; for what comes now it asks again.
                    if goesOn { slot.connection.append(offer?.header ?? []) } else { slot.connection.leave(with: []) }
                }
            case .bytes(let channel, let bytes, let isStart):
                if isStart { recent[channel] = [] }
                recent[channel, default: []].append(bytes)
                // A start that is too long ago is none any more: newcomers wait for the next.
                if recent[channel, default: []].reduce(0, { $0 + $1.count }) > Self.recentLimit { recent[channel] = [] }
                for slot in listeners(of: channel) { slot.connection.append(bytes) }
            case .picture(let bytes):
                let part = Array("--frame\r\nContent-Type: image/jpeg\r\nContent-Length: \(bytes.count)\r\n\r\n".utf8) + bytes + [13, 10]
                for slot in listeners(of: .pictures) { slot.connection.append(part) }
                for slot in clients where slot.connection.state == .awaitingPicture {
                    slot.connection.leave(with: HTTPStatus.ok.head(type: "image/jpeg") + bytes)
                }
            case .page(let path, let type, let bytes): pages[path] = (type, bytes)
            case .end:
                end = monotonicNanoseconds() + 1_000_000_000
                for slot in clients { slot.connection.leave(with: []) }
            }
        }

        private func listeners(of channel: HTTPChannel) -> [Slot] { clients.filter { $0.connection.state == .listening(channel) } }

        private func serve(_ slot: Slot, _ events: Int16, _ now: Int64) {
            var isThere = events & Int16(POLLERR | POLLNVAL) == 0
            if isThere && events & Int16(POLLIN | POLLHUP) != 0 {
                isThere = slot.connection.read { connection, request in answer(&connection, request, now) }
            }
            // Also where nothing was asked for: what was just put there may go at once.
            isThere = isThere && slot.connection.flush(now) && slot.connection.isKept(now)
            slot.isGone = !isThere || slot.connection.isDone
        }

        private func answer(_ connection: inout HTTPConnection, _ request: HTTPRequest, _ now: Int64) {
            if let page = pages[request.path] {
                return connection.leave(with: HTTPStatus.ok.head(type: page.type) + (request.isHead ? [] : page.bytes))
            }
            switch request.path {
            // Who gives pages gives no stream.
            case _ where !pages.isEmpty: connection.leave(with: HTTPStatus.notFound.answer)
            case "/": connection.leave(with: HTTPStatus.ok.head(type: "text/html; charset=utf-8") + (request.isHead ? [] : page))
            case "/stream.ts": listen(&connection, to: .stream, request)
            case "/audio": listen(&connection, to: .audio, request)
            case "/stream.mjpeg": listen(&connection, to: .pictures, request)
            case "/snapshot.jpg":
                guard offers[.pictures] != nil else { return connection.leave(with: missing(.pictures).answer) }
                if request.isHead { return connection.leave(with: HTTPStatus.ok.head(type: "image/jpeg")) }
                connection.awaitPicture(now)
            default: connection.leave(with: HTTPStatus.notFound.answer)
            }
        }

        private func listen(_ connection: inout HTTPConnection, to channel: HTTPChannel, _ request: HTTPRequest) {
            guard let offer = offers[channel] else { return connection.leave(with: missing(channel).answer) }
            let head = HTTPStatus.ok.head(type: offer.type, isChunked: request.takesChunks)
            if request.isHead { return connection.leave(with: head) }
            let start = [offer.header] + recent[channel, default: []]
            connection.listen(to: channel, head: head, isChunked: request.takesChunks, from: start)
        }

        /// Before the first publisher it may still come; afterwards there is none in it.
        private func missing(_ channel: HTTPChannel) -> HTTPStatus { offers.isEmpty ? .unavailable : .notFound }

        private var page: [UInt8] {
            let picture = offers[.pictures] == nil ? "" : "<p><img src=\"/stream.mjpeg\" alt=\"live picture\" style=\"max-width:100%\">\n"
            let sound = offers[.audio] == nil ? "" : "<p><audio src=\"/audio\" controls></audio>\n"
            let links = ["/stream.ts", "/audio", "/stream.mjpeg", "/snapshot.jpg"].map { "<li><a href=\"\($0)\">\($0)</a>" }
            return Array(
                """
                <!DOCTYPE html><html lang="en"><title>ipn serve</title>
                \(picture)\(sound)<ul>
                \(links.joined(separator: "\n"))
                </ul></html>\n
                """.utf8)
        }

        private mutating func accept(_ now: Int64) {
            let raw = Glibc.accept(server.listener.raw, nil, nil)
            guard raw >= 0 else { return }
            _ = fcntl(raw, F_SETFD, FD_CLOEXEC)
            clients.append(Slot(HTTPConnection(Descriptor(owning: raw), now: now)))
        }
    }
}
