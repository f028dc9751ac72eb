/// A transport stream in which one publication follows another.
enum TransportStream {
    /// The muxer's options for the publication that comes after `version` others: receivers look at tables with a new number
    /// only (ISO/IEC 13818-1, 2.4.4.5), and are told of counters and clocks that begin anew.
    static func options(version: Int, flags: String = "") -> [(key: String, value: String)] {
        guard version > 0 else { return flags.isEmpty ? [] : [("mpegts_flags", flags)] }
        return [("tables_version", "\(version % 32)"), ("mpegts_flags", flags + "+initial_discontinuity")]
    }
}
