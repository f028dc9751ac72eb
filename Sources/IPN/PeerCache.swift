import IPNControl
import IPNSystem

/// What neighbours have handed to this process, once for all its nodes on the same network: two hundred nodes in a process
/// would otherwise hold forty thousand mappings, and three times as many descriptors.
///
/// Nothing is kept alive here; who is forgotten by the last node is gone.
enum PeerCache {
    /// A node of a network that lives. The marker's socket has an inode of its own for as long as anybody holds it, so a
    /// network that follows at the same path is another.
    struct Key: Hashable {
        let network: UInt64
        let nodeID: UInt64
    }

    private struct Entry {
        weak var peer: Peer?
        weak var pool: PeerPool?
    }

    private static let lock = Lock(isHeldOverForks: true)
    /// With `lock` held.
    nonisolated(unsafe) private static var entries: [Key: Entry] = [:]

    static func peer(_ key: Key) -> Peer? {
        lock.lock()
        defer { lock.unlock() }
        return entries[key]?.peer
    }

    static func pool(_ key: Key) -> PeerPool? {
        lock.lock()
        defer { lock.unlock() }
        return entries[key]?.pool
    }

    static func keep(_ peer: Peer, _ key: Key) {
        lock.lock()
        defer { lock.unlock() }
        entries[key, default: Entry()].peer = peer
        tidy()
    }

    static func keep(_ pool: PeerPool, _ key: Key) {
        lock.lock()
        defer { lock.unlock() }
        entries[key, default: Entry()].pool = pool
    }

    /// Forgets who is gone, once there are many.
    private static func tidy() {
        guard entries.count > 64, entries.count & (entries.count - 1) == 0 else { return }
        entries = entries.filter { $0.value.peer != nil || $0.value.pool != nil }
    }
}
