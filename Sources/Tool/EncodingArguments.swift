import ArgumentParser
import Transcode

/// How a publisher's streams are coded before they go on the network; without any of it they go there as they are.
struct EncodingArguments: ParsableArguments {
    @Option(help: "Code pictures before they go on the network: an encoder, and bits a second if wanted: libx264:2M.")
    var encode: CodingArgument?
    @Option(help: "Code sound before it goes there: libopus:96k. A microphone's thread does it, ahead of all others: a slow coder loses sound.")
    var encodeAudio: CodingArgument?
    @Option(help: "The size of coded pictures: 1280x720. [default: as they are]")
    var encodeSize: SizeArgument?
    @Flag(help: "Publish what is coded beside the streams as they are, not instead of them; it is the first that consumers find.")
    var beside = false

    func validate() throws {
        if encodeSize != nil && encode == nil { throw ValidationError("--encode-size takes coding: name an encoder, as in --encode libx264") }
        if beside && encode == nil && encodeAudio == nil {
            throw ValidationError("--beside takes something that is coded: name an encoder, as in --encode libx264")
        }
    }

    var settings: CodingSettings { CodingSettings(video: encode, audio: encodeAudio, size: encodeSize) }

    /// The same for a command line.
    var words: [String] {
        optionWords([("--encode", encode?.text), ("--encode-audio", encodeAudio?.text), ("--encode-size", encodeSize?.text)])
            + (beside ? ["--beside"] : [])
    }
}
