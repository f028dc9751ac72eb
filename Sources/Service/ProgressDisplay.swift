import Glibc
import Media

/// Shows a line for each process: written over on a terminal, now and then elsewhere.
struct ProgressDisplay {
    private let isTerminal: Bool
    private let interval: Int64
    private(set) var next: Int64
    private var shownLines = 0
    private let isMuted: Bool

    /// - Parameter isMuted: a picture is drawn on the terminal: only the last word is said, when that is gone.
    init(isMuted: Bool) {
        self.isMuted = isMuted
        isTerminal = isatty(STDERR_FILENO) == 1
        interval = isTerminal ? 500_000_000 : 2_000_000_000
        next = monotonicNanoseconds() + interval
    }

    /// What a line may take: one that runs over would be two, and those before it could not be found again. Nil where there is no end.
    var columns: Int? { isTerminal ? terminalColumns(STDERR_FILENO) : nil }

    var isDue: Bool { monotonicNanoseconds() >= next }

    mutating func show(_ lines: [String]) {
        next = monotonicNanoseconds() + interval
        if isMuted { return }
        if !isTerminal { return writeAll(standardError, lines.joined(separator: "\n") + "\n") }
        writeAll(standardError, back + lines.map { "\u{1b}[K\($0)\n" }.joined())
        shownLines = lines.count
    }

    /// The last word: the whole run.
    func finish(_ lines: [String], seconds: Double) {
        writeAll(standardError, (isTerminal ? back + "\u{1b}[J" : "") + "After \(seconds.rounded(to: 1)) s:\n" + lines.joined(separator: "\n") + "\n")
    }

    /// Up to the first of the lines that were shown.
    private var back: String { shownLines > 0 ? "\u{1b}[\(shownLines)A" : "" }
}
