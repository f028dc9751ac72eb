import Glibc
import IPN
import Media

/// Runs of this program that are supervised together: a publisher and its consumers, or the targets of one stream.
struct Troupe: ~Copyable {
    private let stop: StopSignal
    /// The network's, where the beginning waits for readers.
    private let node: Node?
    private var children: [Slot] = []
    private var display: ProgressDisplay
    private let start = monotonicNanoseconds()

    private let restarts: Bool
    private let metrics: PartyMetrics?

    /// A place for a child, which cannot be copied into an array, and for those that follow it.
    private final class Slot {
        let role: Role
        var child: ChildProcess
        var began = monotonicNanoseconds()
        /// When to start it again, in nanoseconds on CLOCK_MONOTONIC.
        var due: Int64?
        var pause: Int64 = 1_000_000_000
        private var restarts: UInt64 = 0
        /// What those before this child had done.
        private var before = Progress()

        init(_ role: Role) throws(MediaError) {
            self.role = role
            child = try ChildProcess(role.name, label: role.label, arguments: role.arguments)
        }

        var isPublisher: Bool { role.name == "publish" }

        /// Puts another child in the place of one that has ended.
        func replace() throws(MediaError) {
            let again = role.again()
            before.add(child.progress)
            restarts += 1
            child = try ChildProcess(again.name, label: again.label, arguments: again.arguments)
        }

        var figures: PartyMetrics.Member {
            var progress = child.progress
            progress.add(before)
            return PartyMetrics.Member(
                role: role.name, target: role.label, processID: child.processID, isRunning: child.isRunning, restarts: restarts,
                progress: progress)
        }
    }

    /// - Parameter restarts: whether a consumer that failed is started again, as long as the publisher runs.
    init(stop: StopSignal, node: Node? = nil, display: ProgressDisplay, restarts: Bool = false, metrics: PartyMetrics? = nil) {
        self.stop = stop
        self.node = node
        self.display = display
        self.restarts = restarts
        self.metrics = metrics
    }

    var isAnyoneRunning: Bool { children.contains { $0.child.isRunning } }
    var hasFailed: Bool { children.contains { $0.child.hasFailed } }

    mutating func start(_ role: Role) throws(MediaError) { children.append(try Slot(role)) }

    /// The consumers that will be started again.
    private var returning: [Slot] {
        guard restarts, children.contains(where: { $0.isPublisher && $0.child.isRunning }) else { return [] }
        return children.filter { !$0.isPublisher && $0.child.hasFailed }
    }

    /// Starts those again that have failed: after a second at first, then after twice the time, half a minute at most.
    /// - Returns: when the next is due.
    private mutating func restartFailed() throws(MediaError) -> Int64? {
        let now = monotonicNanoseconds()
        for slot in returning {
            guard let due = slot.due else {
                // Who did well for a while has not failed for want of a pause.
                if now - slot.began > 60_000_000_000 { slot.pause = 1_000_000_000 }
                slot.due = now + slot.pause
                say("\(slot.role.name) \(slot.role.label): it has failed, and is started again in \(slot.pause / 1_000_000_000) s")
                slot.pause = min(slot.pause * 2, 30_000_000_000)
                continue
            }
            guard now >= due else { continue }
            slot.due = nil
            slot.began = now
            try slot.replace()
        }
        return returning.compactMap { $0.due }.min()
    }

    /// Waits until every consumer that still runs receives.
    mutating func awaitReaders() throws {
        while let node, !stop.isRaised {
            let running = children.count { $0.child.isRunning }
            if node.numberOfNodes.readers >= running { return }
            try wait(until: nil)
        }
    }

    /// Watches and shows until the last child has ended.
    mutating func superviseToTheEnd() throws {
        var isEnding = false
        while isAnyoneRunning {
            // Whoever asks us to stop asks the publisher: the consumers end with the stream. Without consumers, it has
            // nobody to publish for.
            let isAlone = returning.isEmpty && !children.contains { !$0.isPublisher && $0.child.isRunning }
            if !isEnding && (stop.isRaised || isAlone) {
                isEnding = true
                let publisher = children.filter { $0.isPublisher && $0.child.isRunning }
                for slot in publisher.isEmpty ? children : publisher { slot.child.stop() }
            }
            // Consumers wait for a publisher that has still to come. This one never will.
            if !isEnding && children.contains(where: { $0.isPublisher && $0.child.hasFailed && $0.child.progress.packets == 0 }) {
                isEnding = true
                for slot in children { slot.child.stop() }
            }
            let due = isEnding ? nil : try restartFailed()
            try wait(until: [display.next, due].compactMap { $0 }.min())
            if display.isDue {
                let columns = display.columns
                display.show(children.reversed().map { $0.child.line(columns: columns) })
            }
        }
        let seconds = Double(monotonicNanoseconds() - start) / 1e9
        display.finish(children.reversed().map { $0.child.summary(seconds: seconds) }, seconds: seconds)
    }

    /// Waits for a report, an end, a newcomer, or a stop.
    private mutating func wait(until due: Int64?) throws {
        var set = children.map { pollfd(fd: $0.child.descriptor, events: Int16(POLLIN), revents: 0) }
        set.append(pollfd(fd: try node?.fileDescriptor() ?? -1, events: Int16(POLLIN), revents: 0))
        // Once heard, a stop would end every wait at once.
        set.append(pollfd(fd: stop.isRaised ? -1 : stop.descriptor, events: Int16(POLLIN), revents: 0))
        let milliseconds = due.map { CInt(clamping: max($0 - monotonicNanoseconds(), 0) / 1_000_000 + 1) } ?? -1
        guard poll(&set, nfds_t(set.count), milliseconds) > 0 else { return }
        for (index, slot) in children.enumerated() where set[index].revents != 0 { slot.child.read() }
        metrics?.note(children.map(\.figures))
        while let node, let news = try node.begin(timeout: .zero) { node.end(news) }
    }
}
