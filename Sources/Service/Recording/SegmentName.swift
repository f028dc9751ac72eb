import Glibc

/// Names for one file after another, of which no two are the same.
struct SegmentName {
    private let pattern: String
    private let overwrite: Bool
    /// What the pattern gave last, and the names made of it.
    private var base = ""
    private var taken: Set<String> = []

    init(pattern: String, overwrite: Bool) {
        self.pattern = pattern
        self.overwrite = overwrite
    }

    /// The pattern has the time in it: then a name that is there already is no mistake of the user's.
    private var hasTime: Bool { pattern.contains("%") }

    /// - Parameters:
    ///   - time: seconds since 1970.
    ///   - exists: whether a file of that name is there.
    mutating func next(at time: time_t, exists: (String) -> Bool) -> String {
        if pattern.contains("://") { return pattern }
        let base = hasTime ? Self.expand(pattern, time) : pattern
        if base != self.base { taken = [] }
        self.base = base
        var name = base
        var number = 1
        // Whoever has named one file is told where it is there already; nobody is there to be told of the later ones.
        let mayGoOn = hasTime || !taken.isEmpty
        while taken.contains(name) || (mayGoOn && !overwrite && exists(name)) {
            number += 1
            name = Role.numbered(base, number)
        }
        taken.insert(name)
        if hasTime, name != base { say("\(base): that name is taken: goes on as \(name)") }
        return name
    }

    /// strftime(3), in local time.
    private static func expand(_ pattern: String, _ time: time_t) -> String {
        var time = time
        var parts = tm()
        localtime_r(&time, &parts)
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { buffer in
            strftime(buffer.baseAddress!, buffer.count, pattern, &parts) > 0 ? String(cString: buffer.baseAddress!) : pattern
        }
    }
}
