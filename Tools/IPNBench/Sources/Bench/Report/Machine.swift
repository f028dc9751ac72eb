import Glibc

/// What it was measured on, and how busy others kept it.
struct Machine {
    /// Processors that nobody used before the bench began.
    private let freeBefore: Double

    init() throws { freeBefore = try Self.freeProcessors() }

    private static func freeProcessors() throws -> Double {
        let before = try ticks()
        usleep(500_000)
        let after = try ticks()
        return Double(after.idle - before.idle) / Double(max(1, after.all - before.all)) * Double(processors)
    }

    /// The first line of /proc/stat: user nice system idle iowait irq softirq steal. See proc(5).
    private static func ticks() throws -> (all: Int, idle: Int) {
        let fields = try readText("/proc/stat").prefix { $0 != "\n" }.split(separator: " ").dropFirst().prefix(8).compactMap { Int($0) }
        return (fields.reduce(0, +), fields[3] + fields[4])
    }

    private static var processors: Int { sysconf(Int32(_SC_NPROCESSORS_ONLN)) }

    func line() throws -> String {
        let model = try readText("/proc/cpuinfo").split(separator: "\n").first { $0.hasPrefix("model name") }
        let name = model?.drop { $0 != ":" }.dropFirst(2) ?? "processor of unknown model"
        let kernel = try readText("/proc/sys/kernel/osrelease").prefix { $0 != "\n" }
        let free = (freeBefore.short, try Self.freeProcessors().short)
        return "\(name), \(Self.processors) processors, Linux \(kernel); free of other work: \(free.0) processors before, \(free.1) after."
    }
}
