import Glibc
import IPN
import IPNSystem
import Media
package import SystemPackage

/// One publisher and its consumers, each a process of its own, on a network of their own.
package struct Tee {
    private let stop: StopSignal
    private let path: String?
    private let mode: FilePermissions
    private let restarts: Bool
    private let metrics: ListenAddress?
    private var consumers: [Role] = []

    /// - Parameters:
    ///   - path: of the network; nil for one in a temporary folder.
    ///   - restarts: whether a consumer that failed is started again, as long as the publisher runs.
    ///   - metrics: where to serve figures; nil for nowhere.
    package init(stop: StopSignal, path: String?, mode: FilePermissions, restarts: Bool, metrics: ListenAddress? = nil) {
        self.stop = stop
        self.path = path
        self.mode = mode
        self.restarts = restarts
        self.metrics = metrics
    }

    /// Adds a consumer: its command line, in which `{network}` stands for the path.
    /// - Parameter file: which argument is a file that must not be there: started again, it takes another.
    package mutating func add(_ name: String, label: String, _ arguments: [String], file: Int? = nil) {
        consumers.append(Role(name, label: label, arguments, file: file))
    }

    /// Whether a player will draw its picture on this terminal, for want of a display.
    private var drawsOnTerminal: Bool {
        consumers.contains { $0.name == "play" } && getenv("DISPLAY") == nil && getenv("WAYLAND_DISPLAY") == nil
            && isatty(STDOUT_FILENO) == 1
    }

    /// Runs all of them until the publisher and the consumers have ended.
    /// - Returns: whether any of them failed; each has said why.
    package func run(publish: [String], label: String) throws -> Bool {
        // First: where nobody can listen, nothing has begun.
        let server = try metrics.map { address throws(MediaError) in try HTTPServer(address) }
        let folder = try path == nil ? TemporaryFolder() : nil
        let path = path ?? (folder?.path ?? "") + "/network"
        let node = Node()
        defer {
            node.close()
            folder?.remove()
        }
        var options = NetworkOptions()
        options.poolSize = 256
        // Only what is used costs memory: room for any picture.
        options.mtu = 64 << 20
        options.mode = mode
        options.history = HistoryExtent.lastKeyFrame(atMost: 0).messages
        try node.bind(path, options: options)
        guard node.madeNetwork else {
            throw IPNError(.fileExists, path, "a network is here already", remedy: "take another path")
        }
        try node.setWantsNumberOfNodes(true)
        try node.connect(directions: [])
        try node.setDescription("ipn tee")

        let figures = server.map { PartyMetrics(of: path, $0) }
        try figures?.start()
        var troupe = Troupe(
            stop: stop, node: node, display: ProgressDisplay(isMuted: drawsOnTerminal), restarts: restarts, metrics: figures)
        for consumer in consumers { try troupe.start(consumer.on(path)) }
        // The source begins when everybody is there, so that nobody misses its beginning.
        try troupe.awaitReaders()
        if troupe.isAnyoneRunning && !stop.isRaised {
            try troupe.start(Role("publish", label: label, publish).on(path))
        }
        try troupe.superviseToTheEnd()
        return troupe.hasFailed
    }
}

/// A folder of our own for a network's file.
private struct TemporaryFolder {
    let path: String

    init() throws(MediaError) {
        let root = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(root)/ipn-tee.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw MediaError(.cannotOpen, object: root, what: "cannot make a folder there", cause: String(cString: strerror(errno)))
        }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    func remove() {
        // The network's file goes with its last node, whose end the keeper may notice a moment later than we do.
        for _ in 0..<1000 where rmdir(path) != 0 && errno == ENOTEMPTY { usleep(1000) }
    }
}
