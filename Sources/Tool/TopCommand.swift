import ArgumentParser
import Foundation
import IPN
import Service

struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Watch your networks: who is there, how much they send, and what is lost.",
        discussion: """
            Every network of yours, or those that are named, busiest first; Ctrl-C ends it. LOST is how many messages a node \
            lost, MISS how much of the stream that was, both since it joined; PEND is what a receiver has still to read. P50 and \
            P99 are how late it took what came since the last look, counted from the capture: half came sooner, and all but one \
            in a hundred. SKEW is by how much later its pictures come than their sound. Two questions a look to each network's \
            keeper: the streams go on as if nobody looked.

            EXAMPLES
              ipn top
              ipn top /tmp/cam --interval 0.5
              ipn top --once
              ipn top --json | jq '.networks[] | {path, rate, lost}'
              ipn top --json --once | jq '.networks[].nodes[] | {description, lost, lostSeconds}'
            """)

    @Argument(help: "Networks. [default: all of yours in this network namespace]", completion: .file())
    var paths: [String] = []
    @Option(help: "Seconds between two looks, 0.1 to 3600.")
    var interval = Seconds(1)
    @Flag(help: "One look, after an interval to count over.")
    var once = false
    @Flag(help: "Print JSON, a line a look.")
    var json = false

    func validate() throws {
        guard 0.1...3600 ~= interval.seconds else { throw ValidationError("--interval \(interval.seconds): take 0.1 to 3600 seconds") }
    }

    func run() throws {
        // What is named has to be there; later, whatever goes is only missing.
        for path in paths { _ = try NetworkStatus(of: path) }
        let stop = try StopSignal()
        let isScreen = isatty(STDOUT_FILENO) == 1 && !json && !once
        var last = look()
        while wait(stop) {
            let now = look()
            let networks = now.networks(since: last)
            last = now
            // Home, each line to its end, and nothing below: no flicker.
            if isScreen { print("\u{1b}[H", terminator: "") }
            let lines = json ? [try line(networks)] : TopTable.lines(networks, size: isScreen ? TopTable.screenSize() : nil)
            for line in lines { print(isScreen ? line + "\u{1b}[K" : line) }
            if isScreen { print("\u{1b}[J", terminator: "") } else if !json && !once { print() }
            try flushPrinted()
            if once { return }
        }
    }

    private func look() -> TopSample { TopSample(paths.isEmpty ? Network.ofThisUser().map(\.path) : paths) }

    /// - Returns: false if somebody asked to stop.
    private func wait(_ stop: StopSignal) -> Bool {
        var set = pollfd(fd: stop.descriptor, events: Int16(POLLIN), revents: 0)
        poll(&set, 1, CInt(interval.seconds * 1000))
        return !stop.isRaised
    }

    private func line(_ networks: [TopSample.Network]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(["networks": networks]), as: UTF8.self)
    }
}
