import Media

/// Tells once of each stream whose time stamps are not what they should be.
struct TimeNotes {
    private let path: String
    private let streams: [StreamDescription]
    private var last: [Int: Int64] = [:]
    private var told: Set<String> = []

    init(_ path: String, _ streams: [StreamDescription]) {
        self.path = path
        self.streams = streams
    }

    mutating func look(at packet: CodedPacket) {
        guard let stream = streams.first(where: { $0.index == packet.stream }), let ticks = packet.decodingTime else { return }
        let time = stream.timeBase.nanoseconds(ticks)
        if let last = last[packet.stream], last &- time > 500_000_000 {
            tell("\(stream): its time stamps jump back; what comes is joined to what was there")
        }
        last[packet.stream] = time
    }

    private mutating func tell(_ note: String) {
        if told.insert(note).inserted { say("\(path): \(note)") }
    }
}
