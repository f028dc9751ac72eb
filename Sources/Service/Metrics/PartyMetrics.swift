import Glibc
import IPN
import IPNSystem
import Media
private import Synchronization
import SystemPackage

/// The figures of a party for Prometheus: what its members report, and what their pages on the network say of their delay.
///
/// On a thread of its own, which asks the keeper once a second and gives the text to a server that waits for nobody: neither a slow
/// client nor a keeper that does not answer holds up whoever supervises the party.
final class PartyMetrics: Sendable {
    /// One process of the party.
    struct Member: Sendable {
        let role: String
        let target: String
        let processID: pid_t
        let isRunning: Bool
        let restarts: UInt64
        /// Over all restarts.
        let progress: Progress
    }

    private let path: String
    private let server: HTTPServer
    private let members = Mutex<[Member]>([])
    private static let page = "/metrics"

    /// - Parameter path: of the network.
    init(of path: String, _ server: HTTPServer) {
        self.path = path
        self.server = server
    }

    /// Serves from now on, until the process ends.
    /// - Throws: `.cannotOpen` without memory for its threads.
    func start() throws(MediaError) {
        let link = Array("<!DOCTYPE html><html lang=\"en\"><title>ipn tee</title><a href=\"\(Self.page)\">metrics</a></html>\n".utf8)
        server.publish(page: link, type: "text/html; charset=utf-8", at: "/")
        tell()
        try server.start()
        say("figures at http://\(server.address)\(Self.page)")
        do throws(Errno) {
            try startThread {
                while true {
                    self.tell()
                    sleep(1)
                }
            }
        } catch {
            throw MediaError(.cannotOpen, object: server.address, what: "no thread to tell the figures", cause: "\(error)")
        }
    }

    /// Takes what has been reported up to now. Does not wait.
    func note(_ now: [Member]) { members.withLock { $0 = now } }

    private func tell() {
        let members = members.withLock { $0 }
        let nodes = members.isEmpty ? [] : (try? NetworkStatus(of: path))?.nodes ?? []
        let text = MetricsText.text(of: members, nodes)
        server.publish(page: Array(text.utf8), type: "text/plain; version=0.0.4; charset=utf-8", at: Self.page)
    }
}
