/// The comparison as text in Markdown. The best of a column is bold, the floor aside; numbers in brackets lead to reasons.
struct ComparisonTable {
    let results: Results
    private var reasons: [String] = []

    init(_ results: Results) { self.results = results }

    mutating func text() -> String {
        var text = "# IPN beside its peers\n\n"
        text += "Made by `Tools/bench --peers`, in one run: look at a column's rows beside each other. \(results.machine)\n"
        text +=
            "\nOne writer copies each message in; every reader, a process of its own, reads every byte and checks a sum; none is lost.\n"
            + "Rates are of what is under way: each queue has been filled and read before the clock starts, for memory costs many times as much when it is used first.\n"
        text += section(
            "One way, µs, p50 / p99",
            Results.latencyCases.map { kind in
                Column(kind.name, results.latency[kind], smallestIsBest: \.p50) {
                    "\(($0.p50 / 1000).short) / \(($0.p99 / 1000).short)"
                }
            })
        for size in Results.sizes {
            text += section(
                "\(bytes(size)): messages a second to each reader (bytes a second), by the number of sleeping readers",
                Results.readers.map { readers in
                    Column("\(readers)", results.rates[RateCase(size: size, readers: readers)], smallestIsBest: { -$0.messages }) {
                        "\(rate($0.messages)) (\(rate($0.messages * Double(size))))"
                    }
                })
        }
        text += section(
            "Processor seconds for each GB: a reader's own / all processes'",
            Results.sizes.flatMap { size in
                [1, 8].map { readers in
                    let rates = results.rates[RateCase(size: size, readers: readers)]
                    return Column("\(bytes(size)) to \(readers)", rates, smallestIsBest: \.allSeconds) {
                        "\($0.readerSeconds.short) / \($0.allSeconds.short)"
                    }
                }
            })
        text += section(
            "Joining, and memory",
            [
                Column("to the first message, µs, p50 / p99", results.joins, smallestIsBest: \.p50) {
                    "\(($0.p50 / 1000).short) / \(($0.p99 / 1000).short)"
                }
            ]
                + Results.memoryReaders.map { readers in
                    let title = "KiB, writer and \(readers) reader\(readers == 1 ? "" : "s"), 4 KiB messages"
                    return Column(title, results.memory[readers], smallestIsBest: { Double($0) }) { "\($0)" }
                })
        if !reasons.isEmpty {
            text += "\nNo figure: " + reasons.enumerated().map { "[\($0 + 1)] \($1)" }.joined(separator: "; ") + ".\n"
        }
        text += "\n## Versions and settings\n\n"
        for one in results.contenders { text += "- **\(one.name)**\(one.release.isEmpty ? "" : " \(one.release)"): \(one.settings)\n" }
        for one in results.absent { text += "- **\(one.name)** was not measured: \(one.reason)\n" }
        return text
    }

    /// A column's cells by contender, and how good each is.
    private struct Column {
        let title: String
        let cells: [String: Cell<(text: String, badness: Double)>]

        init<Value>(
            _ title: String, _ cells: [String: Cell<Value>]?, smallestIsBest badness: (Value) -> Double, _ text: (Value) -> String
        ) {
            self.title = title
            self.cells = (cells ?? [:]).mapValues { cell in
                switch cell {
                case .value(let value): .value((text(value), badness(value)))
                case .missing(let reason): .missing(reason)
                }
            }
        }
    }

    private mutating func section(_ title: String, _ columns: [Column]) -> String {
        var text = "\n## \(title)\n\n| | \(columns.map(\.title).joined(separator: " | ")) |\n"
        text += "|---|\(String(repeating: "---|", count: columns.count))\n"
        let best = columns.map { column in
            results.contenders.filter { !$0.isFloor }.compactMap { column.cells[$0.name]?.value?.badness }.min()
        }
        for contender in results.contenders {
            var cells: [String] = []
            for (column, best) in zip(columns, best) {
                switch column.cells[contender.name] {
                case .value(let (text, badness)): cells.append(badness == best && !contender.isFloor ? "**\(text)**" : text)
                case .missing(let reason): cells.append("– [\(number(of: "\(contender.name): \(reason)"))]")
                case nil: cells.append("")
                }
            }
            text += "| \(contender.name) | \(cells.joined(separator: " | ")) |\n"
        }
        return text
    }

    private mutating func number(of reason: String) -> Int {
        if let index = reasons.firstIndex(of: reason) { return index + 1 }
        reasons.append(reason)
        return reasons.count
    }
}
