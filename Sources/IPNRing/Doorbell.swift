/// How to wake a node: numbers that the caller rings by, good as long as their owner lives.
@frozen
public struct Doorbell: Sendable {
    /// For who sleeps in a call of ours.
    public let bell: CInt
    /// For who polls the node's handle: a socket that sends to it, and what to send.
    public let clapper: CInt
    public let key: UInt64

    public init(bell: CInt, clapper: CInt, key: UInt64) {
        self.bell = bell
        self.clapper = clapper
        self.key = key
    }
}
