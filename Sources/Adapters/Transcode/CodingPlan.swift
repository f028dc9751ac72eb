import Media

/// Which of a source's streams is coded, and where it and what stays as it is come out.
struct CodingPlan: ~Copyable {
    let streams: [StreamDescription]
    let transcoder: Transcoder
    /// By the source's index: ours of the coded stream, and of what stays as it is; nil for what there is not.
    let coded: [Int?]
    let plain: [Int?]

    /// - Throws: as `Transcoder` does.
    init(_ sources: [StreamDescription], _ settings: CodingSettings, isBeside: Bool) throws(MediaError) {
        let transcoder = try Transcoder(sources, settings)
        var streams: [StreamDescription] = []
        func place(_ stream: StreamDescription) -> Int {
            var stream = stream
            stream.index = streams.count
            streams.append(stream)
            return stream.index
        }
        if isBeside {
            coded = sources.map { transcoder.codes($0.index) ? place(transcoder.streams[$0.index]) : nil }
            plain = sources.map { place($0) }
        } else {
            let places = transcoder.streams.map { place($0) }
            coded = sources.map { transcoder.codes($0.index) ? places[$0.index] : nil }
            plain = sources.map { transcoder.codes($0.index) ? nil : places[$0.index] }
        }
        self.streams = streams
        self.transcoder = transcoder
    }
}
