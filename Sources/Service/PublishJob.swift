package import IPN
import LibAV
import Media
import SystemPackage
import TestSignal
package import Transcode

/// One publication, from the input to the network.
package struct PublishJob {
    package let input: Input
    package let path: String
    /// What to make the network with where there is none; an MTU or a pool of nil is chosen from the streams.
    package var network = NetworkOptions()
    package var mtu: Int?
    /// Messages pending for a receiver; nil is chosen from the streams.
    package var poolSize: Int?
    /// How streams are coded anew before they go on the network.
    package var coding = CodingSettings()
    /// Whether what is coded anew goes there as it was as well.
    package var isBeside = false
    package let stop: StopSignal
    package let meter: ProgressMeter

    package init(_ input: Input, to path: String, stop: StopSignal, meter: ProgressMeter) {
        self.input = input
        self.path = path
        self.stop = stop
        self.meter = meter
    }

    /// Publishes until the end. The input is opened first: what is no media makes no network.
    /// - Throws: `MediaError`, `IPNError`.
    package func run(_ settings: PublishSettings) throws {
        switch input {
        case .testSignal(let signalSettings):
            // Nobody misses what a generator did not make.
            var settings = settings
            settings.restsAfter = settings.restsAfter ?? 0
            guard !settings.loops else {
                throw MediaError(.invalidOption, object: "test:", what: "--loop is for files", remedy: "without a duration it never ends")
            }
            let signal = try TestSignal(signalSettings)
            try publish(signal, settings, label: "ipn publish test:")
        case .address(let url):
            let demuxer = try Demuxer(url: url, loops: settings.loops, stop: stop.flag)
            for skipped in demuxer.skipped { say("\(url): \(skipped) is not carried") }
            try publish(demuxer, settings, label: "ipn publish")
        case .camera(let camera):
            try publish(camera, settings)
        case .microphone(let microphone):
            try publish(microphone, settings)
        }
    }

    /// Publishes a source until its end, as it is or coded anew.
    /// - Parameters:
    ///   - begin: called once the network is there.
    ///   - end: is given the source when all of it was published.
    func publish<Source: PacketSource & ~Copyable>(
        _ source: consuming Source, _ settings: PublishSettings, label: String, begin: () -> Void = {},
        end: (borrowing Source) throws -> Void = { _ in }
    ) throws {
        guard coding.isCopy else {
            let coded = try CodedSource(source, coding, isBeside: isBeside)
            return try send(coded, settings, label: label, begin: begin, end: { try end($0.base) })
        }
        try send(source, settings, label: label, begin: begin, end: end)
    }

    private func send<Source: PacketSource & ~Copyable>(
        _ source: consuming Source, _ settings: PublishSettings, label: String, begin: () -> Void, end: (borrowing Source) throws -> Void
    ) throws {
        let label = Self.label(label, source.streams)
        let node = try join(source.streams, settings, label: label)
        var publisher = Publisher(source, on: node, label: label, settings: settings, stop: stop, meter: meter)
        begin()
        try publisher.run()
        try end(publisher.source)
    }

    /// What `ipn show` and `ipn top` print: `ipn publish test: h264 640x360, aac`.
    private static func label(_ name: String, _ streams: [StreamDescription]) -> String {
        let words = streams.map { stream in
            stream.video.map { "\(stream.codec) \($0.width)x\($0.height)" } ?? stream.codec
        }
        // Room for what is said of its state behind it.
        return String("\(name) \(words.joined(separator: ", "))".prefix(50))
    }

    /// Joins the network, or makes it.
    func join(_ streams: [StreamDescription], _ settings: PublishSettings, label: String) throws(IPNError) -> Node {
        let node = Node()
        do throws(IPNError) {
            try node.connect(path, directions: .send)
        } catch {
            guard error.errno == .noSuchFileOrDirectory || error.errno == .connectionRefused else { throw error }
            var options = network
            options.mtu = mtu ?? Self.mtu(for: streams)
            options.history = (settings.history ?? .usual(for: streams)).messages
            options.poolSize = poolSize ?? Self.poolSize(for: streams)
            try node.bind(path, options: options)
            try node.connect(directions: .send)
        }
        guard node.directions.contains(.send) else {
            throw IPNError(.permissionDenied, path, "no right to send", remedy: "ask its owner for w (chmod)")
        }
        guard node.numberOfNodes.writers <= 1 else {
            throw IPNError(.addressInUse, path, "somebody publishes there already", remedy: "end it first, or take another path")
        }
        try node.setWantsNumberOfNodes(true)
        try node.setDescription(label)
        return node
    }

    /// A receiver that is stopped has that many messages kept for it: of raw pictures a second's worth, not hundreds of megabytes.
    static func poolSize(for streams: [StreamDescription]) -> Int {
        streams.contains { $0.codec == "rawvideo" } ? 32 : 256
    }

    /// An MTU that the streams' packets fit in: a raw picture exactly, a coded one by the size that it would have raw.
    /// Only what is used costs memory.
    static func mtu(for streams: [StreamDescription]) -> Int {
        let payloads = streams.map { stream -> Int in
            guard let video = stream.video else { return 1 << 18 }
            // At most 8 bytes a pixel: four components of 16 bits.
            return max(1 << 20, Int(video.width) * Int(video.height) * (stream.codec == "rawvideo" ? 8 : 3))
        }
        return min((payloads.max() ?? 0) + (1 << 16), 1 << 30)
    }
}
