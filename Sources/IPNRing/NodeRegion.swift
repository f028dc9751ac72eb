public import CIPN

/// The words of a node region (`ipn_node_header` and its cursors) over memory that is mapped elsewhere.
///
/// The node itself writes; everybody else only loads, and believes nothing without a check.
@frozen
public struct NodeRegion {
    public let base: UnsafeRawPointer

    /// - Parameter base: start of at least `size` bytes that outlive this value.
    public init(base: UnsafeRawPointer) {
        self.base = base
    }

    /// Bytes of a region: a page, and a cursor for every possible writer. Sparse.
    public static let size = Int(IPN_PAGE) + Int(IPN_CURSORS) * Int(IPN_LINE)

    /// Writes the constant part of a new region: all else is zero as it came.
    public static func initialize(_ base: UnsafeMutableRawPointer, nodeID: UInt64) {
        let header = base.assumingMemoryBound(to: ipn_node_header.self)
        header.pointee.node_id = nodeID
        header.pointee.record_version = UInt32(IPN_RECORD_VERSION)
        header.pointee.magic = UInt64(IPN_NODE_MAGIC)
    }

    @inlinable public var armed: SharedWord { SharedWord(base, Int(IPN_NODE_ARMED)) }
    @inlinable public var head: SharedWord { SharedWord(base, Int(IPN_NODE_HEAD)) }
    @inlinable public var oldest: SharedWord { SharedWord(base, Int(IPN_NODE_OLDEST)) }
    @inlinable public var news: SharedWord { SharedWord(base, Int(IPN_NODE_NEWS)) }
    @inlinable public var sentBytes: SharedWord { SharedWord(base, Int(IPN_NODE_SENT_BYTES)) }
    @inlinable public var waiting: SharedWord { SharedWord(base, Int(IPN_NODE_WAITING)) }
    @inlinable public var wanted: SharedWord { SharedWord(base, Int(IPN_NODE_WANTED)) }
    @inlinable public var received: SharedWord { SharedWord(base, Int(IPN_NODE_RECEIVED)) }
    @inlinable public var lost: SharedWord { SharedWord(base, Int(IPN_NODE_LOST)) }
    @inlinable public var dropped: SharedWord { SharedWord(base, Int(IPN_NODE_DROPPED)) }
    @inlinable public var receivedBytes: SharedWord { SharedWord(base, Int(IPN_NODE_RECEIVED_BYTES)) }
    @inlinable public var delays: DelayTally { DelayTally(base: base.advanced(by: Int(IPN_NODE_DELAYS))) }

    /// Where the cursor for the writer with that index lies in a region.
    public static func cursorRange(_ index: Int) -> Range<Int> {
        precondition(index >= 0 && index < Int(IPN_CURSORS))
        let start = Int(IPN_PAGE) + index * Int(IPN_LINE)
        return start..<start + Int(IPN_LINE)
    }

    /// The cursor for the writer with that index.
    public func cursor(_ index: Int) -> Cursor {
        Cursor(base: base.advanced(by: Self.cursorRange(index).lowerBound))
    }
}

/// The words of an `ipn_cursor`: one reader's place in one writer's stream.
@frozen
public struct Cursor {
    public let base: UnsafeRawPointer

    @inlinable public var generation: SharedWord { SharedWord(base, Int(IPN_CURSOR_GENERATION)) }
    @inlinable public var tail: SharedWord { SharedWord(base, Int(IPN_CURSOR_TAIL)) }
    @inlinable public var lost: SharedWord { SharedWord(base, Int(IPN_CURSOR_LOST)) }

    @inlinable @inline(__always)
    public func pin(_ index: Int) -> SharedWord { SharedWord(base, Int(IPN_CURSOR_PIN) + 8 * index) }
}

/// The words of the network page that change.
@frozen
public struct NetworkPage {
    public let base: UnsafeRawPointer

    public init(base: UnsafeRawPointer) { self.base = base }

    @inlinable public var rosterVersion: SharedWord { SharedWord(base, Int(IPN_NETWORK_ROSTER)) }
    @inlinable public var counts: SharedWord { SharedWord(base, Int(IPN_NETWORK_COUNTS)) }
    @inlinable public var pending: SharedWord { SharedWord(base, Int(IPN_NETWORK_PENDING)) }
    @inlinable public var ended: SharedWord { SharedWord(base, Int(IPN_NETWORK_ENDED)) }

    /// Bytes of the page and the roll behind it. Sparse.
    public static let size = Int(IPN_PAGE) + Int(IPN_ROLL_ENTRIES) * Int(IPN_LINE)

    /// Where an entry of the roll lies.
    public static func rollRange(_ place: Int) -> Range<Int> {
        precondition(place >= 0 && place < Int(IPN_ROLL_ENTRIES))
        let start = Int(IPN_PAGE) + place * Int(IPN_LINE)
        return start..<start + Int(IPN_LINE)
    }
}

/// Who is there: the unpacked `counts` word.
public struct NodeCounts: Equatable, Sendable {
    public var version: UInt32
    public var readers: UInt16
    public var writers: UInt16

    public init(version: UInt32, readers: UInt16, writers: UInt16) {
        self.version = version
        self.readers = readers
        self.writers = writers
    }

    public init(packed: UInt64) {
        self.init(
            version: UInt32(truncatingIfNeeded: packed >> 32), readers: UInt16(truncatingIfNeeded: packed >> 16),
            writers: UInt16(truncatingIfNeeded: packed))
    }

    public var packed: UInt64 { UInt64(version) << 32 | UInt64(readers) << 16 | UInt64(writers) }
}
