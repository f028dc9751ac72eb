import Glibc

/// `Bench DIRECTORY [--quick] [FIGURE...]` prints the table, `Bench DIRECTORY --peers RESULTS [--quick] [PEER...]` compares and
/// leaves a table and a drawing; `Bench work ...` is one process of a run.
@main
enum Main {
    static func main() {
        do {
            let arguments = Array(CommandLine.arguments.dropFirst())
            guard let first = arguments.first else { throw Failure("which directory for the networks? Run Tools/bench") }
            if first == "work" { return try work(Array(arguments.dropFirst())) }
            let isQuick = arguments.contains("--quick")
            let words = arguments.dropFirst().filter { $0 != "--quick" }
            if words.first == "--peers" && words.count > 1 {
                try compare(directory: first, results: words[1], only: Array(words.dropFirst(2)), isQuick: isQuick)
            } else {
                try bench(directory: first, figures: Array(words), isQuick: isQuick)
            }
        } catch {
            let text = "bench: \(error)\n"
            write(2, text, text.utf8.count)
            exit(1)
        }
    }

    private static func bench(directory: String, figures wanted: [String], isQuick: Bool) throws {
        let figures = Figures(path: "\(directory)/network", isQuick: isQuick)
        let machine = try Machine()
        print(Row.head)
        fflush(nil)
        for name in wanted.isEmpty ? Figures.names : wanted {
            try figures.run(name)
            fflush(nil)
        }
        print("\n\(try machine.line())")
    }

    private static func compare(directory: String, results folder: String, only: [String], isQuick: Bool) throws {
        let results = try Comparison(directory: directory, isQuick: isQuick, only: only).run()
        var table = ComparisonTable(results)
        let text = table.text()
        print(text)
        try save(text, in: "\(folder)/comparison.md")
        try save(Plot(results: results).text(), in: "\(folder)/comparison.svg")
    }

    private static func save(_ text: String, in path: String) throws {
        guard let file = fopen(path, "we") else { throw Failure(calling: path, errno) }
        let written = fputs(text, file)
        guard fclose(file) == 0 && written >= 0 else { throw Failure(calling: path, errno) }
    }
}
