import IPN

extension NetworkStatus.NodeStatus {
    /// Seconds of the stream that are missing for what it lost since it joined; nil where it does not say.
    var lostSeconds: Double? { delays?.lostTime.map { Double($0) / 1e9 } }
}

/// How late a reader takes messages, in JSON. Keys stay; new ones may come.
struct DelayReport: Encodable {
    /// Messages that it is of.
    let count: UInt64
    /// Milliseconds.
    let mean, p50, p99: Double
    /// Milliseconds by which pictures are later than their sound.
    let skew: Double?

    /// - Returns: nil where nothing was counted.
    init?(_ delays: NetworkStatus.Delays) {
        guard let p50 = delays.quantile(0.5), let p99 = delays.quantile(0.99) else { return nil }
        count = delays.count
        // A count of strangers may have run over.
        mean = Double(delays.sum) / Double(max(count, 1)) / 1e6
        self.p50 = p50 / 1e6
        self.p99 = p99 / 1e6
        skew = delays.skew.map { Double($0) / 1e6 }
    }
}
