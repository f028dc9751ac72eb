import IPNSystem
import Media

/// Writes for threads that must not wait, neither for a terminal that somebody has stopped nor for a pipe that nobody reads: how far they
/// are, now and then, and lines as they come. A thread of its own waits in their place.
final class Teller: @unchecked Sendable {
    // Sendable: what changes is looked at under the lock alone.
    private let lock = Lock()
    private var latest = Progress()
    private var lines: [String] = []
    private var isFinishing = false
    private var isRunning = false

    private let audience: ProgressMeter.Audience
    private let interval: Int64

    /// - Parameter interval: nanoseconds between two reports.
    init(_ audience: ProgressMeter.Audience, interval: Int64) {
        self.audience = audience
        self.interval = interval
        if hasAudience { start() }
    }

    private var hasAudience: Bool { if case .nobody = audience { false } else { true } }

    /// How far it is by now; while that is being told, the next word will do. RT safe.
    func share(_ progress: Progress) {
        guard lock.tryLock() else { return }
        latest = progress
        lock.unlock()
    }

    /// A line for the user, in its turn.
    func say(_ line: String) {
        lock.lock()
        lines.append(line)
        if isRunning { lock.wakeWaiters() } else { start() }
        lock.unlock()
    }

    /// The last word. Whoever does not read it within a second never will.
    func finish(_ progress: Progress) {
        lock.lock()
        latest = progress
        isFinishing = true
        lock.wakeWaiters()
        let due = UInt64(monotonicNanoseconds()) + 1_000_000_000
        while isRunning, lock.wait(until: due) {}
        lock.unlock()
    }

    /// Where there is no memory for a thread, nothing is told.
    private func start() {
        isRunning = true
        do { try startThread { self.run() } } catch { isRunning = false }
    }

    private func run() {
        var report = ProgressReport()
        var next = report.time + interval
        lock.lock()
        while true {
            let isDue = hasAudience && monotonicNanoseconds() >= next
            if lines.isEmpty, !isDue, !isFinishing {
                _ = lock.wait(until: hasAudience ? UInt64(next) : .max >> 1)
                continue
            }
            let (taken, progress, isLast) = (lines, latest, isFinishing)
            lines = []
            lock.unlock()
            for line in taken { Service.say(line) }
            if isDue || isLast { report.write(progress, to: audience, isLast: isLast) }
            if isDue { next = report.time + interval }
            lock.lock()
            guard isLast else { continue }
            isRunning = false
            lock.wakeWaiters()
            return lock.unlock()
        }
    }
}

/// What was reported last, and how the next is written.
private struct ProgressReport {
    private var last = Progress()
    /// Nanoseconds on CLOCK_MONOTONIC.
    private(set) var time = monotonicNanoseconds()

    mutating func write(_ progress: Progress, to audience: ProgressMeter.Audience, isLast: Bool) {
        let now = monotonicNanoseconds()
        switch audience {
        case .nobody: break
        case .process(let descriptor): writeAll(descriptor, progress.record + "\n")
        case .terminal(let label):
            let seconds = max(Double(now - time) / 1e9, 0.001)
            let line = "\(label)  \(progress.line(since: last, seconds: seconds))"
            // In the last column a terminal is about to begin another line.
            writeAll(standardError, "\r\u{1b}[K\(line.prefix(terminalColumns(standardError) - 1))" + (isLast ? "\n" : ""))
        }
        last = progress
        time = now
    }
}
