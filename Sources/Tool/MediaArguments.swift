import ArgumentParser
import Glibc
import IPNSystem
import Service

/// How a media command is supervised: for `ipn tee`, not for people.
struct SupervisionArguments: ParsableArguments {
    @Option(help: ArgumentHelp("Write progress records there.", visibility: .private))
    var progressDescriptor: Int32?

    /// The end of a consumer that had nothing to consume. The supervisor's user has heard why from the publisher.
    func nothingCame(_ path: String, _ what: String) -> any Error {
        progressDescriptor == nil
            ? Failure("\(path): nothing was \(what): no key frame came before the end") : ExitCode(ExitStatus.failed.rawValue)
    }

    /// Reports to the supervisor, to the terminal, or to nobody. A supervised process ends with its supervisor.
    func meter(_ label: String) -> ProgressMeter {
        if let progressDescriptor {
            endWithParent()
            return ProgressMeter(.process(progressDescriptor), interval: 250_000_000)
        }
        return ProgressMeter(isatty(STDERR_FILENO) == 1 ? .terminal(label: label) : .nobody)
    }
}

/// How long a consumer stays.
struct ConsumerArguments: ParsableArguments {
    @Option(help: "End after that many seconds.")
    var duration: Seconds?
    @Flag(help: "Stay when the stream ends, and go on with the next one.")
    var follow = false

    var settings: ConsumeSettings {
        var settings = ConsumeSettings()
        settings.duration = duration?.nanoseconds
        settings.follows = follow
        return settings
    }
}

/// `key=value` for a muxer or a protocol.
struct LibraryOption: ExpressibleByArgument {
    let key: String
    let value: String

    init?(argument: String) {
        guard let cut = argument.firstIndex(of: "="), cut > argument.startIndex else { return nil }
        key = String(argument[..<cut])
        value = String(argument[argument.index(after: cut)...])
    }
}
