import IPNRing
import IPNSystem
import SystemPackage

extension Node {
    /// Waits until at least `count` others receive. For a node that only sends; what else comes out of band is passed.
    ///
    /// - Throws: `EINTR`; as `setWantsNumberOfNodes`.
    public func waitForReaders(_ count: Int, timeout: Duration? = nil) throws(IPNError) {
        if !wantsNumberOfNodes { try setWantsNumberOfNodes(true) }
        let deadline = Deadline.after(timeout)
        while true {
            while let message = try begin(timeout: .zero) { end(message) }
            if othersReceiving >= count { return }
            if isNetworkGone { throw failure(.brokenPipe, "the network's keeper is gone: nobody new can come") }
            guard let milliseconds = Deadline.milliseconds(until: deadline) else { return }
            let descriptor = try fileDescriptor()
            do throws(Errno) {
                _ = try waitReadable(descriptor, milliseconds: milliseconds)
            } catch {
                throw failure(error, "interrupted while waiting for receivers")
            }
        }
    }

    /// Who receives beside this node.
    public var othersReceiving: Int {
        numberOfNodes.readers - (directions.contains(.receive) && isConnected ? 1 : 0)
    }

    /// Whether the keeper hung up. On a broadcast network members go on without it; nobody new can join them.
    public var isNetworkGone: Bool { membership?.isKeeperGone ?? false }
}
