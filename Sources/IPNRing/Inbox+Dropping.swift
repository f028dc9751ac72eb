public import CIPN

/// What a LOSSY reader drops: the oldest, over all writers, of what is more than its limit.
extension Inbox {
    @inlinable @inline(__always)
    mutating func dropBeyondLimit() {
        if writers.count == 1 {
            let pending = writers[0].pending()
            if pending > limit { writers[0].skip(pending - limit) }
            return
        }
        var total: UInt64 = 0
        for index in writers.indices {
            let pending = writers[index].pending()
            // No writer keeps more than this, and a single one may not claim the sum.
            if pending > limit { writers[index].skip(pending - limit) }
            total &+= min(pending, limit)
        }
        if total > limit { drop(total &- limit) }
    }

    /// Drops the `surplus` oldest messages.
    @usableFromInline
    mutating func drop(_ surplus: UInt64) {
        var surplus = surplus
        // Looking through all writers for each of many would keep a reader that was away for seconds.
        if surplus > 64 { surplus &-= dropByTime(surplus) }
        while surplus > 0 {
            dropOldest()
            surplus &-= 1
        }
    }

    /// Drops up to `surplus` messages, all that were sent before a moment which is searched for. What remains was sent in that very
    /// moment; but where time stamps do not grow, whatever is there goes.
    /// - Returns: how many went.
    private mutating func dropByTime(_ surplus: UInt64) -> UInt64 {
        var (low, high) = (UInt64.max, UInt64(0))
        for index in writers.indices where writers[index].known > 0 {
            low = min(low, writers[index].time(0) ?? 0)
            high = max(high, writers[index].time(writers[index].known &- 1) ?? 0)
        }
        // No more than the surplus is older than `low`; more is older than `high`.
        if high < .max { high += 1 }
        while low < high && high - low > 1 {
            let middle = low + (high - low) / 2
            if writers.reduce(0, { $0 &+ $1.older(than: middle) }) <= surplus { low = middle } else { high = middle }
        }
        var dropped: UInt64 = 0
        for moment in [low, high, nil] {
            for index in writers.indices where dropped < surplus {
                let waiting = moment.map { writers[index].older(than: $0) } ?? writers[index].known
                let count = min(waiting, surplus &- dropped)
                writers[index].skip(count)
                dropped &+= count
            }
        }
        return dropped
    }

    /// Drops the message with the lowest time stamp of all writers.
    private mutating func dropOldest() {
        var oldest: (index: Int, time: UInt64)? = nil
        for index in writers.indices where writers[index].pending() > 0 {
            guard let time = writers[index].time(0) else {
                // It was retired meanwhile, so it is older than all that is left.
                writers[index].skip(1)
                return
            }
            if oldest.map({ time < $0.time }) ?? true { oldest = (index, time) }
        }
        if let oldest { writers[oldest.index].skip(1) }
    }
}

extension WriterView {
    /// Messages that waited when `pending` was last asked.
    fileprivate var known: UInt64 { knownHead &- tail }

    /// Time stamp of a message that waits, counted from the next; nil where it was retired.
    fileprivate func time(_ index: UInt64) -> UInt64? {
        let sequence = tail &+ index
        _ = pool.place(sequence).loadAcquiring()
        let time = pool.entry(sequence).pointee.time
        // Without a pin, what was read counts only if the message is still there afterwards.
        fullFence()
        return region.oldest.loadAcquiring() <= sequence ? time : nil
    }

    /// How many of those that wait were sent before a moment; what was retired is older than all.
    fileprivate func older(than moment: UInt64) -> UInt64 {
        var (low, high) = (UInt64(0), known)
        while low < high {
            let middle = low + (high - low) / 2
            if (time(middle) ?? 0) < moment { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
