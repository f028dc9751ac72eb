import CBench
import Glibc

/// What it was measured on, and how busy others kept it meanwhile.
struct Machine {
    private let start: (all: Double, idle: Double)

    init() throws { start = try Self.seconds() }

    private static var processors: Int { sysconf(Int32(_SC_NPROCESSORS_ONLN)) }

    /// Processor seconds since boot, from the first line of /proc/stat: user nice system idle iowait irq softirq steal.
    /// See proc(5).
    private static func seconds() throws -> (all: Double, idle: Double) {
        let line = try readText("/proc/stat").prefix { $0 != "\n" }
        let ticks = line.split(separator: " ").dropFirst().prefix(8).compactMap { Double($0) }
        let perSecond = Double(sysconf(Int32(_SC_CLK_TCK)))
        return (ticks.reduce(0, +) / perSecond, (ticks[3] + ticks[4]) / perSecond)
    }

    func line() throws -> String {
        let model = try readText("/proc/cpuinfo").split(separator: "\n").first { $0.hasPrefix("model name") }
        let name = model?.drop { $0 != ":" }.dropFirst(2) ?? "processor of unknown model"
        let kernel = try readText("/proc/sys/kernel/osrelease").prefix { $0 != "\n" }
        let now = try Self.seconds()
        let elapsed = max((now.all - start.all) / Double(Self.processors), 0.01)
        let ours = bench_cpu_seconds() + bench_children_cpu_seconds()
        let others = max(0, (now.all - start.all) - (now.idle - start.idle) - ours) / elapsed
        return "\(name), \(Self.processors) processors, Linux \(kernel); meanwhile others used \(others.short) processors."
    }
}
