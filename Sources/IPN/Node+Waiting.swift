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
            if let networkEnd { throw networkEnd }
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

    /// Whether the network goes on without us: a keeper that lives has hung up. One that is killed changes nothing: its members
    /// make another.
    public var isNetworkGone: Bool { membership?.isSevered ?? false }
}
