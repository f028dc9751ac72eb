import Media

/// What to record, where, and how much of it to keep.
package struct RecordSettings: Sendable {
    /// How much is kept of what is over.
    package enum Keep: Sendable, Hashable {
        /// Nanoseconds.
        case time(Int64)
        case bytes(UInt64)
    }

    /// Which streams of a publication.
    package enum Choice: Sendable, Hashable {
        case video, audio, subtitle
        case index(Int)

        func takes(_ stream: StreamDescription) -> Bool {
            switch self {
            case .video: stream.isVideo
            case .audio: stream.isAudio
            case .subtitle: stream.isSubtitle
            case .index(let index): stream.index == index
            }
        }
    }

    /// The file; what strftime(3) knows is replaced by the time of its beginning.
    package var pattern: String
    /// libavformat's name, where the extension does not tell.
    package var format: String?
    package var options: [(key: String, value: String)] = []
    package var overwrite = false
    /// Nanoseconds that may be lost where the recorder is killed.
    package var fragment: Int64 = 1_000_000_000
    /// Nanoseconds after which the next file begins, at a key frame; nil: one file.
    package var segment: Int64?
    package var keep: Keep?
    /// The list of segments; nil for none.
    package var index: String?
    /// Nothing: all of them.
    package var choices: [Choice] = []
    /// Nanoseconds that the user has asked for; tells why the last file ended.
    package var duration: Int64?

    package init(pattern: String) { self.pattern = pattern }

    /// Beside the segments, by what their names have in common: `cam.json` for `cam-%H%M.mp4`.
    package var usualIndex: String {
        var stem = String(pattern.prefix { $0 != "%" })
        if stem == pattern, let dot = stem.lastIndex(of: "."), !stem[dot...].contains("/") { stem = String(stem[..<dot]) }
        while let last = stem.last, "-_. ".contains(last) { stem.removeLast() }
        return (stem.isEmpty || stem.hasSuffix("/") ? stem + "segments" : stem) + ".json"
    }

    /// Of a publication's streams, those to record.
    /// - Throws: `.noStreams`.
    func chosen(of streams: [StreamDescription]) throws(MediaError) -> [StreamDescription] {
        guard !choices.isEmpty else { return streams }
        let chosen = streams.filter { stream in choices.contains { $0.takes(stream) } }
        guard !chosen.isEmpty else {
            throw MediaError(
                .noStreams, object: pattern, what: "none of the streams asked for is there",
                remedy: "there are " + streams.map(\.description).joined(separator: ", "))
        }
        return chosen
    }
}
