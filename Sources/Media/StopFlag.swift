private import Synchronization

/// Tells whoever waits for a network or a device to give up. May be raised from any thread, and from a
/// signal handler: it is one atomic store.
public final class StopFlag: Sendable {
    private let raised = Atomic<Bool>(false)

    public init() {}

    public func raise() { raised.store(true, ordering: .releasing) }
    public var isRaised: Bool { raised.load(ordering: .acquiring) }
}
