import Glibc
import Media

/// One network's stream to several addresses: a process for each, with a place of its own on the network, so that one that
/// is dead or slow holds up no other.
package struct Fanout {
    private let stop: StopSignal
    private var targets: [(label: String, arguments: [String])] = []

    package init(stop: StopSignal) { self.stop = stop }

    /// - Parameter arguments: the command line for this one target.
    package mutating func add(_ label: String, _ arguments: [String]) { targets.append((label, arguments)) }

    /// Runs until the last one has ended.
    /// - Returns: whether any of them failed; each has said why.
    package func run() throws -> Bool {
        var troupe = Troupe(stop: stop, display: ProgressDisplay(isMuted: isatty(standardError) == 0))
        for target in targets { try troupe.start(Role("stream", label: target.label, target.arguments)) }
        try troupe.superviseToTheEnd()
        return troupe.hasFailed
    }
}
