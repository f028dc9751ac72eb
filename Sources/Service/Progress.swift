import Media

/// What a producer or a consumer has done so far.
package struct Progress: Sendable, Equatable {
    /// Pictures that went through; where there are none, packets.
    package var frames: UInt64 = 0
    package var packets: UInt64 = 0
    package var bytes: UInt64 = 0
    package var lost: UInt64 = 0
    /// Messages that were there, and were passed over for a newer key frame.
    package var passedOver: UInt64 = 0
    /// Nanoseconds of the stream that are missing for what was lost or passed over.
    package var lostTime: Int64 = 0
    /// Nanoseconds from capture until we had it, of the last packet.
    package var delay: Int64 = 0
    package var readers = 0
    /// Nanoseconds from joining to the first packet that went through; 0 before.
    package var began: Int64 = 0

    package init() {}

    /// Counts what another process has done as well.
    mutating func add(_ other: Progress) {
        frames &+= other.frames
        packets &+= other.packets
        bytes &+= other.bytes
        lost &+= other.lost
        passedOver &+= other.passedOver
        lostTime = Int64(clamping: Int128(lostTime) + Int128(other.lostTime))
    }

    /// A line for another process: `progress 50 120 48213 0 950000 2 812000 0 0`.
    package var record: String { "progress \(frames) \(packets) \(bytes) \(lost) \(delay) \(readers) \(began) \(passedOver) \(lostTime)" }

    package init?(record: Substring) {
        let words = record.split(separator: " ")
        guard words.count == 10, words[0] == "progress", let frames = UInt64(words[1]), let packets = UInt64(words[2]),
            let bytes = UInt64(words[3]), let lost = UInt64(words[4]), let delay = Int64(words[5]),
            let readers = Int(words[6]), let began = Int64(words[7]), let passedOver = UInt64(words[8]), let lostTime = Int64(words[9])
        else { return nil }
        self.frames = frames
        self.packets = packets
        self.bytes = bytes
        self.lost = lost
        self.delay = delay
        self.readers = readers
        self.began = began
        self.passedOver = passedOver
        self.lostTime = lostTime
    }
}

/// Counts what a producer or a consumer does, and has it told now and then: to a person on a terminal, to a supervising process through a
/// pipe, or to nobody.
package struct ProgressMeter {
    package enum Audience: Sendable {
        case nobody
        /// A line on standard error that is written over.
        case terminal(label: String)
        /// A record a line.
        case process(CInt)
    }

    package var progress = Progress()
    private let teller: Teller
    /// Nobody is told of progress while it is made.
    let isUnseen: Bool

    /// - Parameter interval: nanoseconds between two reports.
    package init(_ audience: Audience, interval: Int64 = 500_000_000) {
        teller = Teller(audience, interval: interval)
        if case .nobody = audience { isUnseen = true } else { isUnseen = false }
    }

    /// Counts a packet of one of `streams`.
    mutating func count(_ packet: CodedPacket, _ bytes: Int, of streams: [StreamDescription]) {
        if streams[packet.stream].isVideo || !streams.contains(where: \.isVideo) { progress.frames += 1 }
        progress.packets += 1
        progress.bytes += UInt64(bytes)
        // A stranger's number: the difference may be anything.
        if let captured = packet.captureTime { progress.delay = Int64(clamping: Int128(monotonicNanoseconds()) - Int128(captured)) }
    }

    /// Has what was counted told with the next report. Waits for nobody.
    func share() { teller.share(progress) }

    /// Has a line told to the user, among the reports. Does not wait until it was.
    func say(_ line: String) { teller.say(line) }

    /// Reports for the last time.
    package func finish() { teller.finish(progress) }
}

extension Progress {
    /// `1250 frames  25.0/s  1.9 Mbit/s  0 lost  0.4 ms delay`
    package func line(since last: Progress, seconds: Double) -> String {
        let rate = Double(frames - min(last.frames, frames)) / seconds
        let bits = Double(bytes - min(last.bytes, bytes)) * 8 / seconds / 1e6
        return "\(frames) frames  \(rate.rounded(to: 1))/s  \(bits.rounded(to: 1)) Mbit/s  \(lost) lost"
            + (passedOver > 0 ? "  \(passedOver) passed over" : "") + (lostTime > 0 ? "  \((Double(lostTime) / 1e9).rounded(to: 1)) s missing" : "")
            + "  \((Double(delay) / 1e6).rounded(to: 1)) ms delay"
    }
}

extension Double {
    /// As text with that many decimals.
    package func rounded(to decimals: Int) -> String {
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = (magnitude * scale).rounded()
        guard scaled < 1e15 else { return "\(self)" }
        let whole = Int(scaled) / Int(scale)
        let text =
            decimals == 0
            ? "\(whole)" : "\(whole)." + String(repeating: "0", count: decimals - "\(Int(scaled) % Int(scale))".count) + "\(Int(scaled) % Int(scale))"
        return self < 0 && scaled > 0 ? "-" + text : text
    }
}
