import CIPN
import IPNRing

extension NetworkStatus {
    /// How long messages had been under way when a reader took them, and what it misses. The numbers are its node's word only: nothing computed
    /// from them traps.
    public struct Delays: Sendable {
        /// Messages in each bucket.
        private let counts: [UInt64]
        /// Nanoseconds, of all messages.
        public let sum: UInt64
        /// By how many nanoseconds pictures were taken later than the sound that belongs to them; nil while unknown.
        public let skew: Int64?
        /// Nanoseconds of the stream that are missing for what it lost since it joined; nil where it says nothing.
        public let lostTime: UInt64?

        private init(counts: [UInt64], sum: UInt64, skew: Int64?, lostTime: UInt64?) {
            self.counts = counts
            self.sum = sum
            self.skew = skew
            self.lostTime = lostTime
        }

        init(_ record: ipn_delays) {
            let counts = withUnsafeBytes(of: record.count) { [UInt64]($0.bindMemory(to: UInt64.self)) }
            self.init(
                counts: counts, sum: record.sum, skew: record.skew == 0 ? nil : Int64(bitPattern: record.skew),
                lostTime: record.missing == 0 ? nil : record.missing - 1)
        }

        /// Messages that were counted.
        public var count: UInt64 { counts.reduce(0, &+) }

        /// What was counted since an earlier look; skew and lost time as they are now. A count that went back has counted nothing.
        public func since(_ earlier: Delays) -> Delays {
            Delays(
                counts: zip(counts, earlier.counts).map { $0 >= $1 ? $0 - $1 : 0 }, sum: sum >= earlier.sum ? sum - earlier.sum : 0,
                skew: skew, lostTime: lostTime)
        }

        /// The delay that a part of all messages did not exceed, in nanoseconds; taken as even within a bucket, four of which are an
        /// octave. Nil where nothing was counted.
        /// - Parameter part: 0 to 1: 0.5 is the median.
        public func quantile(_ part: Double) -> Double? {
            let total = counts.reduce(0.0) { $0 + Double($1) }
            guard total > 0 else { return nil }
            let rank = part * total
            var below = 0.0
            for (bucket, count) in counts.enumerated() where count > 0 {
                let start = Double(DelayTally.start(of: bucket))
                if below + Double(count) >= rank {
                    guard bucket + 1 < counts.count else { return start }
                    return start + (Double(DelayTally.start(of: bucket + 1)) - start) * max(rank - below, 0) / Double(count)
                }
                below += Double(count)
            }
            // What rounding left of the rank.
            return counts.indices.last { counts[$0] > 0 }.map { Double(DelayTally.start(of: $0)) }
        }

        /// Messages that took less than so many nanoseconds, for limits that rise; a limit within a bucket counts as its beginning.
        public func cumulative(below limits: [UInt64]) -> [UInt64] {
            limits.map { limit in counts[..<DelayTally.bucket(of: limit)].reduce(0, &+) }
        }
    }
}
