package import CIPN

extension ipn_options {
    /// Whether messages go through the keeper, which has a policy for them.
    package var isRouted: Bool { `protocol` > UInt32(IPN_BROADCAST) }

    /// Messages that a sender keeps for its readers. On a LOSSY routed network there is but the keeper, and a burst of up
    /// to a megabyte waits until it has got a processor: what a receiver may have pending is counted in its queue.
    package var pendingLimit: Int {
        let pool = Int(pool_size)
        guard isRouted, flags & UInt32(IPN_FLAG_LOSSLESS) == 0 else { return pool }
        return max(pool, min(256, (1 << 20) / Int(max(mtu, 1))))
    }
}
