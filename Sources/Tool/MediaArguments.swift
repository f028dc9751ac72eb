import ArgumentParser
import Glibc
import IPNSystem
import Media
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

    @Option(help: "Where to begin: last (key frame that is kept), next (key frame), all (that is kept).")
    var join = JoinArgument(join: .last)

    @Option(help: "Where to go on after a loss: next (key frame), newest (key frame that is kept; what is between is passed over).")
    var afterLoss = AfterLossArgument.next

    var settings: ConsumeSettings {
        var settings = ConsumeSettings()
        settings.skipsToNewest = afterLoss == .newest
        settings.join = join.join
        settings.duration = duration?.nanoseconds
        settings.follows = follow
        return settings
    }

    /// The same for a command line.
    var words: [String] {
        optionWords([("--duration", duration.map { "\($0.seconds)" }), ("--join", join.word), ("--after-loss", afterLoss.rawValue)])
            + (follow ? ["--follow"] : [])
    }
}

/// `next`, `newest`.
enum AfterLossArgument: String, ExpressibleByArgument, CaseIterable {
    case next, newest
}

/// `last`, `next`, `all`.
struct JoinArgument: ExpressibleByArgument {
    let join: Join

    init(join: Join) { self.join = join }

    init?(argument: String) {
        guard let join = Self.names[argument] else { return nil }
        self.join = join
    }

    private static let names: [String: Join] = ["last": .last, "next": .next, "all": .all]
    static var allValueStrings: [String] { names.keys.sorted() }
    var word: String { Self.names.first { $0.value == join }?.key ?? "last" }
    var defaultValueDescription: String { word }
}

/// `last`, `none`, `30s`, `5min`, `64M`.
struct HistoryArgument: ExpressibleByArgument {
    let extent: HistoryExtent

    init?(argument: String) {
        switch argument {
        case "none": extent = .none
        case "last": extent = .lastKeyFrame(atMost: 1 << 30)
        default:
            for (unit, seconds) in [("min", 60.0), ("s", 1.0)] where argument.hasSuffix(unit) {
                guard let number = Double(argument.dropLast(unit.count)), number > 0, number <= 86_400 else { return nil }
                extent = .time(Int64(number * seconds * 1e9))
                return
            }
            guard let count = ByteCount(argument: argument), count.bytes > 0 else { return nil }
            extent = .octets(count.bytes)
        }
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
