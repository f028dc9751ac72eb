import CLinux
import Glibc

/// A control group that limits the memory of this process, and what it still allows. See cgroups(7).
///
/// Whoever goes over such a limit is ended by the kernel, in whatever call it is: so it has to be looked at before.
package struct ControlGroup: Sendable {
    /// Where its files are.
    package let directory: String
    /// The file that sets the limit.
    package let file: String
    package let limit: Int
    package let used: Int
    /// Bytes until the kernel has to end somebody: what it could drop of files, or move to swap, counts as free.
    package let free: Int

    /// The one that allows least, of all that this process is in and those above them; nil where none has a limit.
    package static func tightest() -> ControlGroup? {
        let lines = text("/proc/self/cgroup").split(separator: "\n")
        var tightest: ControlGroup?
        for mount in mounts {
            // 4:memory:/path, or 0::/path in version 2.
            let own = lines.first { line in
                let controllers = line.split(separator: ":", omittingEmptySubsequences: false).dropFirst().first ?? ""
                return mount.version.isSecond ? controllers.isEmpty : controllers.split(separator: ",").contains("memory")
            }
            guard let own, let path = own.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).last else { continue }
            for directory in mount.directories(upFrom: String(path)) {
                guard let group = ControlGroup(directory, mount.version), group.free < tightest?.free ?? .max else { continue }
                tightest = group
            }
        }
        return tightest
    }

    /// A group's files. Nil where it sets no limit.
    private init?(_ directory: String, _ version: Version) {
        func number(_ name: String) -> Int? { Int(Self.text("\(directory)/\(name)").prefix { $0.isNumber }) }
        // “max”, or a number beyond all memory, is none.
        guard let limit = number(version.limit), limit < 1 << 60, let used = number(version.used) else { return nil }
        var reclaimable = 0
        for line in Self.text("\(directory)/memory.stat").split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, version.reclaimable.contains(String(words[0])) { reclaimable += Int(words[1]) ?? 0 }
        }
        var swap = Int(clamping: linux_free_swap())
        if swap > 0, let most = number(version.swapLimit) {
            // In version 1 that is of memory and swap together.
            let left = most - (number(version.swapUsed) ?? 0)
            swap = max(0, min(swap, version.isSecond ? left : left - (limit - used)))
        }
        self.directory = directory
        file = version.limit
        self.limit = limit
        self.used = used
        free = limit - used + reclaimable + swap
    }

    /// What the files are called.
    private struct Version {
        let isSecond: Bool
        let limit, used, swapLimit, swapUsed: String
        /// Of `memory.stat`: what the kernel can drop. Shared memory is not among them.
        let reclaimable: [String]

        static let first = Version(
            isSecond: false, limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes", swapLimit: "memory.memsw.limit_in_bytes",
            swapUsed: "memory.memsw.usage_in_bytes", reclaimable: ["total_inactive_file", "total_active_file"])
        static let second = Version(
            isSecond: true, limit: "memory.max", used: "memory.current", swapLimit: "memory.swap.max", swapUsed: "memory.swap.current",
            reclaimable: ["inactive_file", "active_file", "slab_reclaimable"])
    }

    /// Where a hierarchy is mounted, and which part of it.
    private struct Mount {
        let version: Version
        let root: String
        let point: String

        /// The folders of a group and of all above it, as far as they can be seen from here.
        func directories(upFrom path: String) -> [String] {
            // A container may see its own part only, under a path that still names the whole.
            var rest = root != "/" && path.hasPrefix(root) ? String(path.dropFirst(root.count)) : path
            var found: [String] = []
            while let slash = rest.lastIndex(of: "/"), rest != "/" {
                found.append(point + rest)
                rest = String(rest[..<slash])
            }
            return found + [point]
        }
    }

    /// Those of this process's mounts that have groups with memory. They hardly ever change.
    private static let mounts: [Mount] = text("/proc/self/mountinfo").split(separator: "\n").compactMap { line in
        let words = line.split(separator: " ")
        guard let dash = words.firstIndex(of: "-"), dash >= 5, words.count > dash + 3 else { return nil }
        let version: Version
        switch words[dash + 1] {
        case "cgroup2": version = .second
        case "cgroup" where words[dash + 3].split(separator: ",").contains("memory"): version = .first
        default: return nil
        }
        return Mount(version: version, root: String(words[3]), point: String(words[4]))
    }

    /// A small file of the kernel's; empty where it cannot be read.
    private static func text(_ path: String) -> String {
        guard let file = try? Descriptor.open(path, flags: O_RDONLY) else { return "" }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 8192)
        while true {
            let count = read(file.raw, &part, part.count)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += part[..<count]
        }
    }
}
