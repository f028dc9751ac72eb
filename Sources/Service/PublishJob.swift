package import IPN
package import LibAV
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
    /// How files and addresses are gone through.
    package var playlist = PlaylistSettings()
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
            var settings = settings
            settings.restsByItself()
            try refusePlaylist("test:")
            let signal = try TestSignal(signalSettings)
            try publish(signal, settings, name: "ipn publish test:")
        case .parts(let parts):
            let hasPictures = parts.contains { $0.isPicture }
            if playlist.slide != nil, !hasPictures { throw MediaError(.invalidOption, object: "--slide", what: "there are no pictures to show") }
            var settings = settings
            if hasPictures { settings.longestWait = max(settings.longestWait, playlist.pictureLength * 2) }
            let source = try Playlist(parts, playlist, stop: stop.flag, note: say)
            try publish(source, settings, name: "ipn publish", isList: parts.count > 1)
        case .camera(let camera):
            try publish(camera, settings)
        case .microphone(let microphone):
            try publish(microphone, settings)
        }
    }

    /// Publishes a source until its end, as it is or coded anew.
    /// - Parameters:
    ///   - isList: whether other streams may follow.
    ///   - begin: called once the network is there.
    ///   - end: is given the source when all of it was published.
    func publish<Source: PacketSource & ~Copyable>(
        _ source: consuming Source, _ settings: PublishSettings, name: String, isList: Bool = false, begin: () -> Void = {},
        end: (borrowing Source) throws -> Void = { _ in }
    ) throws {
        guard coding.isCopy else {
            let coded = try CodedSource(source, coding, isBeside: isBeside)
            return try send(coded, settings, name: name, isList: isList, begin: begin, end: { try end($0.base) })
        }
        try send(source, settings, name: name, isList: isList, begin: begin, end: end)
    }

    private func send<Source: PacketSource & ~Copyable>(
        _ source: consuming Source, _ settings: PublishSettings, name: String, isList: Bool, begin: () -> Void,
        end: (borrowing Source) throws -> Void
    ) throws {
        let node = try join(source.streams, settings, isList: isList)
        var publisher = Publisher(source, on: node, name: name, settings: settings, stop: stop, meter: meter)
        begin()
        try publisher.run()
        try end(publisher.source)
    }

    /// What goes on by itself has no beginning to go back to, and no parts.
    func refusePlaylist(_ object: String) throws(MediaError) {
        let asked = [("--loop", playlist.loops), ("--seek", playlist.start != 0), ("--slide", playlist.slide != nil)]
        guard let option = asked.first(where: \.1)?.0 else { return }
        throw MediaError(.invalidOption, object: object, what: "\(option) is for files and addresses")
    }

    /// Joins the network, or makes it.
    private func join(_ streams: [StreamDescription], _ settings: PublishSettings, isList: Bool) throws(IPNError) -> Node {
        let node = Node()
        do throws(IPNError) {
            try node.connect(path, directions: .send)
        } catch {
            guard error.errno == .noSuchFileOrDirectory || error.errno == .connectionRefused else { throw error }
            var options = network
            // Only what is used costs memory: room for any picture, where others may follow.
            options.mtu = mtu ?? max(Self.mtu(for: streams), isList ? 64 << 20 : 0)
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
