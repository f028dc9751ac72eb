import ArgumentParser
import Glibc
import IPN
import Media
import Service
import SystemPackage

/// The tool's front door: parses, runs, and turns whatever goes wrong into one line and an exit code.
@main
enum Main {
    static func main() {
        // A standard descriptor that is closed would be taken by the next thing that is opened. What takes its place refuses what
        // it is for: a command that needs it is told.
        for (descriptor, flags) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_WRONLY)]
        where fcntl(descriptor, F_GETFD) < 0 { _ = open("/dev/null", flags) }
        do {
            try perform()
        } catch {
            end(with: error)
        }
    }

    private static func perform() throws {
        do {
            try requireText()
            var command = try Ipn.parseAsRoot(HiddenWords.read(insteadOf: CommandLine.arguments))
            try command.run()
        } catch let code as ExitCode {
            try flushPrinted()
            throw code
        } catch  where Ipn.exitCode(for: error) == .success {
            // Help and version are no errors.
            print(Ipn.fullMessage(for: error))
        }
        try flushPrinted()
    }

    /// Words are text, and a name with something else in its place would be another file's. Those of a program that is to be
    /// run are that program's.
    private static func requireText() throws {
        let words = UnsafeBufferPointer(start: CommandLine.unsafeArgv, count: Int(CommandLine.argc)).dropFirst().compactMap { $0 }
        let runs = words.first.map { strcmp($0, "run") == 0 } ?? false
        for word in words {
            if runs && strcmp(word, "--") == 0 { return }
            guard String(validatingCString: word) == nil else { continue }
            throw Failure("\(String(cString: word)): this is no text in UTF-8: give the file another name, or a link", status: .usage)
        }
    }

    private static func end(with error: any Error) -> Never {
        if let error = error as? IPNError {
            complain(error.description)
            exit(ExitStatus(error).rawValue)
        }
        if let error = error as? MediaError {
            complain(error.description)
            exit(ExitStatus(error).rawValue)
        }
        if let failure = error as? Failure {
            complain(failure.message)
            exit(failure.status.rawValue)
        }
        if error is Incomplete { exit(ExitStatus.failed.rawValue) }
        if let error = error as? Errno {
            complain("cannot begin: \(error)")
            exit(ExitStatus.failed.rawValue)
        }
        if let code = error as? ExitCode { exit(code.rawValue) }
        let names = Ipn.configuration.subcommands.compactMap { $0.configuration.commandName }
        let word = CommandLine.arguments.dropFirst().first ?? ""
        if !word.hasPrefix("-"), !names.contains(word) {
            let near = names.first { $0.hasPrefix(word.prefix(3)) || word.hasPrefix($0) }
            complain("\(word): there is no such command" + (near.map { "; \($0) is one" } ?? "") + " (see ipn --help)")
        } else {
            let said = Ipn.message(for: error).split(separator: "\n").first.map(String.init) ?? "wrong usage"
            let message = said.hasPrefix("Missing value") ? negativeValue() ?? said : said
            complain("\(message) (see ipn \(names.contains(word) ? "\(word) " : "")--help)")
        }
        exit(ExitStatus.usage.rawValue)
    }

    /// Of options of which 0 means nothing.
    private static let positiveOptions: Set = ["--mtu", "--pool", "--nodes", "--block"]

    /// What is wrong with a number below 0, which the parser takes for another option.
    private static func negativeValue() -> String? {
        let words = CommandLine.arguments.prefix { $0 != "--" }
        let pair = zip(words, words.dropFirst()).first { option, value in
            option.hasPrefix("--") && value.first == "-" && value.dropFirst().first?.isNumber ?? false
        }
        return pair.map { option, value in "\(option) \(value): the value must be \(positiveOptions.contains(option) ? 1 : 0) or more" }
    }

    private static func complain(_ message: String) {
        let line = Array("ipn: \(message)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
    }
}

/// `ipn` without a word.
struct Ipn: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ipn",
        abstract: "A bus for processes: whoever is on a network hears what the others send.",
        discussion: """
            A network is a file; its r, w and x bits say who may receive, send and manage.

            EXAMPLES
              ipn tee movie.mp4 --record copy.mkv --stream out/live.m3u8 --play
              ipn publish test: /tmp/cam &     and ipn record, ipn stream, ipn play
              ipn create /tmp/net --mtu 64K    a network of your own
              ipn receive /tmp/net &           everybody who receives hears
              echo hello | ipn send /tmp/net   what anybody sends
              ipn show /tmp/net                who is there, and what was lost
              ipn top                          all of your networks, as they go
              ipn bench                        how fast this machine is
              ipn run -- ./program             a program that was written for AF_IPN

            EXIT STATUS
              0  done
              1  failed; the reason is on standard error
              2  wrong usage
              3  no network there
              4  no right to do that
              5  a recording is not whole (ipn check)
            """,
        version: "0.1",
        subcommands: [
            TeeCommand.self, PublishCommand.self, RecordCommand.self, CheckCommand.self, StreamCommand.self, PlayCommand.self,
            PipeCommand.self, ServeCommand.self,
            CreateCommand.self, RemoveCommand.self, ShowCommand.self, TopCommand.self, SendCommand.self, ReceiveCommand.self,
            DevicesCommand.self, ControlCommand.self, RunCommand.self, BenchCommand.self, BenchReaderCommand.self,
        ])
}
