import ArgumentParser
import Transcode

/// How streams are coded anew; without any of it they stay as they are.
struct CodingArguments: ParsableArguments {
    @Flag(help: "Send all as it is. This is what is done unless told otherwise.")
    var copy = false
    @Option(help: "Code pictures anew: an encoder, and bits a second if wanted: libx264:2M.")
    var video: CodingArgument?
    @Option(help: "Code sound anew: libopus:96k.")
    var audio: CodingArgument?
    @Option(help: "The size of coded pictures: 1280x720.")
    var size: SizeArgument?

    func validate() throws {
        if copy && (video != nil || audio != nil) { throw ValidationError("--copy leaves nothing to code: take it away, or --video and --audio") }
        if size != nil && video == nil { throw ValidationError("--size takes coding: name an encoder, as in --video libx264") }
    }

    var settings: CodingSettings { CodingSettings(video: video, audio: audio, size: size) }

    /// The same for a command line.
    var words: [String] { optionWords([("--video", video?.text), ("--audio", audio?.text), ("--size", size?.text)]) }
}

extension CodingSettings {
    /// What a command line asks for.
    init(video: CodingArgument?, audio: CodingArgument?, size: SizeArgument?) {
        self.init()
        self.video = video?.coding
        self.audio = audio?.coding
        self.size = size?.size
    }
}

/// `libx264`, `libx264:2M`.
struct CodingArgument: ExpressibleByArgument {
    let coding: Coding
    let text: String

    init?(argument: String) {
        guard let coding = Coding(text: argument) else { return nil }
        (self.coding, text) = (coding, argument)
    }
}

/// `1280x720`.
struct SizeArgument: ExpressibleByArgument {
    let size: PictureSize
    let text: String

    init?(argument: String) {
        guard let size = PictureSize(text: argument) else { return nil }
        (self.size, text) = (size, argument)
    }
}
