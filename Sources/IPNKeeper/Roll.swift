import CIPN
import Glibc
import IPNRing
import IPNSystem
import SystemPackage

/// The roll behind the network page: who is connected, written at each step, for the keeper that may come after us.
///
/// Each step leaves it whole: an entry is filled before its node id makes it count, and what changes later is one word.
struct Roll {
    private let base: UnsafeMutableRawPointer
    /// Entries that were used and are free again.
    private var free: [Int] = []
    private var used = 0

    /// - Parameter base: `NetworkPage.size` bytes that outlive this value.
    init(base: UnsafeMutableRawPointer) {
        self.base = base
    }

    /// What it says of one node.
    struct Entry {
        let nodeID: UInt64
        let userID: uid_t
        let port: Int
        let processID: pid_t
        /// The pidfd's inode.
        let process: UInt64
        /// Of the request by which it connected.
        let call: UInt64
        var state: State
    }

    /// The part that changes.
    struct State: Equatable {
        var flags: UInt32
        /// Nil before the first send.
        var cursor: Int?

        init(flags: UInt32, cursor: Int?) {
            self.flags = flags | (cursor == nil ? 0 : UInt32(IPN_ROLL_HAS_POOL))
            self.cursor = cursor
        }

        init(packed: UInt64) {
            flags = UInt32(truncatingIfNeeded: packed)
            cursor = flags & UInt32(IPN_ROLL_HAS_POOL) != 0 ? Int(packed >> 32) : nil
        }

        var packed: UInt64 { UInt64(cursor ?? 0) << 32 | UInt64(flags) }
        func has(_ flag: UInt32) -> Bool { flags & flag != 0 }
    }

    /// Enters a node. - Returns: its place.
    /// - Throws: `ENOBUFS` where the roll is full, or memory is.
    mutating func enter(_ new: Entry, memory: borrowing SharedMemory) throws(Errno) -> Int {
        let place: Int
        if let last = free.popLast() {
            place = last
        } else {
            guard used < Int(IPN_ROLL_ENTRIES) else { throw Errno(rawValue: ENOBUFS) }
            try memory.commit(NetworkPage.rollRange(used))
            place = used
            used += 1
            base.assumingMemoryBound(to: ipn_network_page.self).pointee.roll_used = UInt64(used)
        }
        let entry = Self.entry(place, base)
        entry.pointee.process = new.process
        entry.pointee.port = Int32(new.port)
        entry.pointee.pid = UInt32(bitPattern: new.processID)
        entry.pointee.uid = new.userID
        entry.pointee.call = new.call
        write(new.state, at: place)
        SharedWord(entry, Int(IPN_ROLL_NODE_ID)).storeReleasing(new.nodeID)
        return place
    }

    /// Writes down what has changed of a node.
    func write(_ state: State, at place: Int) {
        SharedWord(Self.entry(place, base), Int(IPN_ROLL_STATE)).storeReleasing(state.packed)
    }

    /// Strikes a node out.
    mutating func strike(_ place: Int) {
        SharedWord(Self.entry(place, base), Int(IPN_ROLL_NODE_ID)).storeReleasing(0)
        free.append(place)
    }

    /// What a dead keeper's roll says.
    /// - Parameters:
    ///   - base: a copy of its page and roll, which nobody writes to.
    ///   - size: bytes of it.
    static func entries(_ base: UnsafeMutableRawPointer, size: Int) -> [Entry] {
        let used = base.assumingMemoryBound(to: ipn_network_page.self).pointee.roll_used
        let there = (size - Int(IPN_PAGE)) / Int(IPN_LINE)
        return (0..<min(Int(clamping: used), there, Int(IPN_ROLL_ENTRIES))).compactMap { place in
            let entry = entry(place, base).pointee
            guard entry.node_id != 0 else { return nil }
            return Entry(
                nodeID: entry.node_id, userID: entry.uid, port: Int(entry.port), processID: pid_t(bitPattern: entry.pid),
                process: entry.process, call: entry.call, state: State(packed: entry.state))
        }
    }

    private static func entry(_ place: Int, _ base: UnsafeMutableRawPointer) -> UnsafeMutablePointer<ipn_roll_entry> {
        base.advanced(by: NetworkPage.rollRange(place).lowerBound).assumingMemoryBound(to: ipn_roll_entry.self)
    }
}
