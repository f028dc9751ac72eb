import Glibc

extension Array where Element: Comparable {
    /// The value below which `share` of all lie.
    func percentile(_ share: Double) -> Element {
        sorted()[Swift.min(count - 1, Int(Double(count) * share))]
    }

    var median: Element { percentile(0.5) }
}

extension Double {
    /// With three digits that count: 12.3, 1230, 0.123.
    var short: String {
        guard self != 0 else { return "0" }
        let digits = Swift.max(0, 2 - Int(log10(magnitude).rounded(.down)))
        let scale = pow(10, Double(digits))
        let rounded = (self * scale).rounded() / scale
        return digits == 0 ? "\(Int(rounded))" : "\(rounded)"
    }
}

/// `12.3 / 45` microseconds: the median and the 99th percentile of nanoseconds.
func microseconds(_ samples: [UInt64]?) -> String {
    guard let samples, !samples.isEmpty else { return "" }
    return "\((Double(samples.median) / 1000).short) / \((Double(samples.percentile(0.99)) / 1000).short)"
}

/// `10.2 M`
func rate(_ perSecond: Double?) -> String {
    guard let perSecond else { return "" }
    return perSecond >= 1e6 ? (perSecond / 1e6).short + " M" : perSecond >= 1e4 ? (perSecond / 1e3).short + " k" : perSecond.short
}
