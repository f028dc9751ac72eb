import IPNRing

extension Node {
    /// Waits until at least `count` others receive. For a node that only sends; what else comes out of band is passed.
    ///
    /// - Throws: `EINTR`; as `setWantsNumberOfNodes`.
    public func waitForReaders(_ count: Int, timeout: Duration? = nil) throws(IPNError) {
        if !wantsNumberOfNodes { try setWantsNumberOfNodes(true) }
        while othersReceiving < count {
            guard let message = try begin(timeout: timeout) else { return }
            end(message)
        }
    }

    /// Who receives beside this node.
    public var othersReceiving: Int {
        numberOfNodes.readers - (directions.contains(.receive) && isConnected ? 1 : 0)
    }

    /// Whether the keeper hung up. On a broadcast network members go on without it; nobody new can join them.
    public var isNetworkGone: Bool {
        membership?.listen()
        return membership?.isKeeperGone ?? false
    }
}
