import CIPN
import IPNControl
import IPNSystem
import SystemPackage

/// A network, by its file: made, looked at, joined and ended. Who takes part in it is a ``Node``.
///
///     let chat = try Network.create(at: "/tmp/chat")
///     let anna = try chat.node()
///     print(try chat.status().nodes)
///     try chat.remove()
///
/// This is a name, and holds nothing: whether a network is there, and the same as before, each call finds out. One that is to live
/// no longer than those who are on it needs none of this: ``Node/bind(_:options:)`` makes it.
public struct Network: Hashable, Sendable {
    /// Its file.
    public let path: String

    /// The network whose file is at `path`, or will be.
    public init(at path: String) { self.path = path }

    /// Makes a network that lives on with nobody on it, until `remove`.
    ///
    /// - Parameters:
    ///   - path: where nothing is yet, or what is left of a network whose every party was killed.
    ///   - options: what to make it with; that it persists needs not be said.
    /// - Throws: `EEXIST` where a network is there already; otherwise as `Node.bind` does.
    public static func create(at path: String, options: NetworkOptions = NetworkOptions()) throws(IPNError) -> Network {
        var options = options
        options.isPersistent = true
        let node = Node()
        try node.bind(path, options: options)
        guard node.madeNetwork else {
            throw IPNError(.fileExists, path, "a network is here already", remedy: "remove it first (ipn remove), or take another path")
        }
        return Network(at: path)
    }

    /// What its keeper tells of it. Needs one of `r`, `w` and `x`.
    /// - Throws: `EACCES` without any; `ENOENT`, `ECONNREFUSED` where no network is; `EADDRINUSE` where its keeper cannot be reached.
    public func status() throws(IPNError) -> NetworkStatus { try NetworkStatus(of: path) }

    /// Joins its data flow.
    /// - Throws: as `Node.connect` does.
    public func node(directions: Node.Directions = .both) throws(IPNError) -> Node {
        try Node(connecting: path, directions: directions)
    }

    /// Has it end as soon as nobody is on it. Needs `x`.
    ///
    /// What a crash of all its parties has left, its keeper's included, goes as well, where it is the owner's who asks.
    ///
    /// - Returns: how many are; the network ends with the last of them. Without any it has ended, and its file is gone.
    /// - Throws: `EPERM` without `x`; otherwise as `status`.
    @discardableResult
    public func remove() throws(IPNError) -> Int {
        let manager = Node()
        var options = NetworkOptions()
        do throws(IPNError) {
            // One must be there: bind would make it.
            _ = try status()
            options.protocolNumber = Int(IPN_ANY)
        } catch {
            // Left over: a network is made in its place, and ends with us.
            guard error.errno == .connectionRefused, MarkerState(at: Path(path)) == .dead else { throw error }
        }
        try manager.bind(path, options: options)
        try manager.setPersistent(false)
        manager.close()
        while true {
            // Who is bound or connected keeps it; and what persists is another's, made here since.
            guard let left = try? status(), !left.options.isPersistent else { return 0 }
            guard left.nodes.isEmpty else { return left.nodes.count }
            pause(microseconds: 1000)
        }
    }
}
