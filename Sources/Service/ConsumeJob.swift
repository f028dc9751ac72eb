import IPN
import Media
import SystemPackage

/// One consumer on its network, from joining to the end.
package struct ConsumeJob {
    package let path: String
    package let settings: ConsumeSettings
    package let stop: StopSignal
    package let meter: ProgressMeter

    package init(from path: String, settings: ConsumeSettings, stop: StopSignal, meter: ProgressMeter) {
        self.path = path
        self.settings = settings
        self.stop = stop
        self.meter = meter
    }

    /// Consumes into a sink until the end.
    /// - Parameters:
    ///   - sink: made once the network is joined: what cannot begin opens nothing.
    ///   - description: what `ipn show` prints.
    /// - Returns: what was done.
    /// - Throws: `MediaError`, `IPNError`, `Incomplete`.
    package func run<Sink: ConsumerSink & ~Copyable>(_ sink: @autoclosure () throws -> Sink, description: String) throws -> Progress {
        let node = Node()
        let joined = monotonicNanoseconds()
        try node.connect(path, directions: .receive, history: settings.join != .next)
        guard node.directions.contains(.receive) else {
            throw IPNError(.permissionDenied, path, "no right to receive", remedy: "ask its owner for r (chmod)")
        }
        var consumer = Consumer(
            try sink(), on: node, description: String(description.prefix(60)), settings: settings, stop: stop, meter: meter, joined: joined)
        try consumer.run()
        return consumer.meter.progress
    }
}
