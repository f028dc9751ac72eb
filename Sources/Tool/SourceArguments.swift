import ArgumentParser
import LibAV

/// How files and addresses are gone through.
struct SourceArguments: ParsableArguments {
    @Flag(help: "Begin again at the end.")
    var loop = false
    @Option(help: "Begin there in the first file, at the key frame before: 90, 1:30, 1:02:03.5.")
    var seek: TimeArgument?
    @Option(help: "How long each picture is shown, where pictures are published. [default: 5s]")
    var slide: Seconds?
    @Option(help: "Twice as fast is 2, half as fast 0.5; the time stamps stay. 0.01 to 100.")
    var speed = 1.0

    func validate() throws {
        guard 0.01...100 ~= speed else { throw ValidationError("--speed \(speed) is not possible: it is 0.01 to 100") }
        if let slide, slide.seconds < 0.04 || slide.seconds > 86400 { throw ValidationError("--slide takes 40ms to 24h") }
    }

    var settings: PlaylistSettings {
        var settings = PlaylistSettings()
        settings.loops = loop
        settings.start = seek?.nanoseconds ?? 0
        settings.slide = slide?.nanoseconds
        return settings
    }

    /// The same for a command line.
    var words: [String] {
        (loop ? ["--loop"] : [])
            + optionWords([("--seek", seek?.text), ("--slide", slide.map { "\($0.seconds)" }), ("--speed", speed == 1 ? nil : "\(speed)")])
    }
}

/// A place in a film: `90`, `1:30`, `1:02:03.5`.
struct TimeArgument: ExpressibleByArgument {
    let nanoseconds: Int64
    let text: String

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...3).contains(parts.count) else { return nil }
        var seconds = 0.0
        for (index, part) in parts.enumerated() {
            let isLast = index == parts.count - 1
            guard part.first?.isNumber == true, let value = isLast ? Double(part) : Int(part).map(Double.init) else { return nil }
            guard value.isFinite, index == 0 || value < 60 else { return nil }
            seconds = seconds * 60 + value
        }
        guard seconds < 1e7 else { return nil }
        nanoseconds = Int64(seconds * 1e9)
        text = argument
    }
}
