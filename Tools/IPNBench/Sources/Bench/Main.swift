import Glibc

/// `Bench DIRECTORY [--quick] [FIGURE...]` prints the table; `Bench work ...` is one process of a run.
@main
enum Main {
    static func main() {
        do {
            let arguments = Array(CommandLine.arguments.dropFirst())
            guard let first = arguments.first else { throw Failure("which directory for the networks? Run Tools/bench") }
            if first == "work" { return try work(Array(arguments.dropFirst())) }
            try bench(directory: first, Array(arguments.dropFirst()))
        } catch {
            let text = "bench: \(error)\n"
            write(2, text, text.utf8.count)
            exit(1)
        }
    }

    private static func bench(directory: String, _ arguments: [String]) throws {
        let figures = Figures(path: "\(directory)/network", isQuick: arguments.contains("--quick"))
        let wanted = arguments.filter { !$0.hasPrefix("--") }
        let machine = try Machine()
        print(Row.head)
        fflush(nil)
        for name in wanted.isEmpty ? Figures.names : wanted {
            try figures.run(name)
            fflush(nil)
        }
        print("\n\(try machine.line())")
    }
}
