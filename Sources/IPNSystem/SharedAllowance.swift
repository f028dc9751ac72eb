import Glibc
package import SystemPackage
private import Synchronization

/// What this process may still take of shared memory, by the limits of its control groups.
///
/// What a pool could ever need is far more than what it will: so it is asked for as it grows. To look costs some twenty system calls;
/// each look allows a part of what is left, and nobody looks again before that is used up.
package enum SharedAllowance {
    /// What who only receives has of it needs no look, which would be a third of the time that joining takes.
    private static let credit = Atomic<Int>(16 << 10)
    /// What was last asked for in vain.
    private static let refused = Atomic<Int>(0)

    /// - Throws: `ENOMEM` where the kernel would have to end a process of the group.
    static func take(_ bytes: Int) throws(Errno) {
        if credit.subtract(bytes, ordering: .relaxed).newValue >= 0 { return }
        guard let group = ControlGroup.tightest() else { return credit.store(most, ordering: .relaxed) }
        let left = group.free - reserve(of: group) - bytes
        // Others of the group look as well, and take their part of the same.
        credit.store(max(0, min(left / 16, most)), ordering: .relaxed)
        guard left >= 0 else {
            refused.store(bytes, ordering: .relaxed)
            throw Errno(rawValue: ENOMEM)
        }
    }

    /// Which group refused, in words: nil where none would.
    package static var refusal: (problem: String, remedy: String)? {
        let bytes = refused.load(ordering: .relaxed)
        guard bytes > 0, let group = ControlGroup.tightest(), group.free - reserve(of: group) < bytes else { return nil }
        return (
            "the control group \(group.directory) allows \(mebibytes(group.limit)) and has \(mebibytes(group.limit - group.free)) in use",
            "raise its \(group.file), or choose a smaller MTU or message pool"
        )
    }

    /// Left for what its processes have of their own, and for what the kernel counts late.
    private static func reserve(of group: ControlGroup) -> Int { min(max(group.limit / 16, 1 << 20), 16 << 20) }

    /// Bytes between two looks at the most: a limit may be set at any time.
    private static var most: Int { 64 << 20 }

    private static func mebibytes(_ bytes: Int) -> String {
        let tenths = (bytes * 10) >> 20
        return "\(tenths / 10).\(tenths % 10) MiB"
    }
}
