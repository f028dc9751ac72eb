package import Media

/// A stream in a publisher's description of itself, which `ipn show` and `ipn top` print, and programs want in parts.
package struct StreamLabel: Encodable, Sendable, Equatable {
    package let codec: String
    /// In pixels; nil for sound and subtitles.
    package var width, height: Int?

    /// `ipn publish test: h264 640x360, aac`: whole streams, as many as there is room for, and behind a name that is cut rather than they.
    package static func text(_ name: String, _ streams: [StreamDescription]) -> String {
        let words = streams.map { stream in
            stream.video.map { "\(stream.codec) \($0.width)x\($0.height)" } ?? stream.codec
        }
        // What the bus takes is 128 octets, with room for what is said of a state behind it.
        let room = 112
        var shown = words
        while shown.count > 1, shown.joined(separator: ", ").utf8.count > room - 32 { shown.removeLast() }
        if shown.count < words.count { shown.append("+\(words.count - shown.count)") }
        let text = shown.joined(separator: ", ")
        var name = name
        while name.utf8.count + 1 + text.utf8.count > room, !name.isEmpty { name.removeLast() }
        return "\(name) \(text)"
    }

    /// The streams in a description; none where it is no publisher's of ours.
    package static func streams(in description: String) -> [StreamLabel] {
        guard description.hasPrefix("ipn publish") else { return [] }
        return description.split(separator: ",").enumerated().compactMap { position, part in
            // The name stands before the first.
            let words = part.split(separator: " ")
            guard let last = words.last, part != " resting", !last.hasPrefix("+") else { return nil }
            let sides = last.split(separator: "x", omittingEmptySubsequences: false).compactMap { Int($0) }
            if sides.count == 2, words.count > 1 {
                return StreamLabel(codec: String(words[words.count - 2]), width: sides[0], height: sides[1])
            }
            return StreamLabel(codec: String(last))
        }
    }
}
