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

    /// A place for a child, which cannot be copied into an array.
    private final class Slot {
        var child: ChildProcess
        init(_ child: consuming ChildProcess) { self.child = child }
        var isPublisher: Bool { child.name == "publish" }
    }

    init(stop: StopSignal, node: Node? = nil, display: ProgressDisplay) {
        self.stop = stop
        self.node = node
        self.display = display
    }

    var isAnyoneRunning: Bool { children.contains { $0.child.isRunning } }
    var hasFailed: Bool { children.contains { $0.child.hasFailed } }

    mutating func start(_ name: String, label: String, _ arguments: [String]) throws(MediaError) {
        children.append(Slot(try ChildProcess(name, label: label, arguments: arguments)))
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
            let isAlone = !children.contains { !$0.isPublisher && $0.child.isRunning }
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
            try wait(until: display.next)
            if display.isDue { display.show(children.reversed().map { $0.child.line() }) }
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
        while let node, let news = try node.begin(timeout: .zero) { node.end(news) }
    }
}
