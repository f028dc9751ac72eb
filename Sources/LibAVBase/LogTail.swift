import CLibAV
private import Synchronization

/// libav's log, kept quiet: its last error lines wait here for the error that they explain.
///
/// libav has one log for the process. Lines of two operations that fail at the same time may be told
/// together; they are for people only.
package enum LogTail {
    private struct Line { let number: UInt64; let text: String }
    private struct State { var lines: [Line] = []; var count: UInt64 = 0 }
    private static let state = Mutex(State())

    /// Once per process, at the first use of libav.
    private static let installed: Void = {
        av_log_set_level(AV_LOG_ERROR)
        av_log_set_callback { context, level, format, arguments in
            // Below error there is nothing that a caller would not hear of otherwise.
            guard level & 0xff <= AV_LOG_ERROR, let format, let arguments else { return }
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { line in
                // Without the context: its address says nothing to anybody.
                var prefix: Int32 = 0
                av_log_format_line2(context, level, format, arguments, line.baseAddress, Int32(line.count), &prefix)
                LogTail.append(String(cString: line.baseAddress!))
            }
        }
    }()

    /// Silences libav. Every owner of a libav resource calls it first.
    package static func install() { _ = installed }

    /// A place in the log, for `lines(since:)`.
    package static func mark() -> UInt64 {
        install()
        return state.withLock { $0.count }
    }

    /// What libav complained of since the mark: the first three lines, which name causes more often than
    /// the last do.
    package static func lines(since mark: UInt64) -> [String] {
        state.withLock { state in state.lines.filter { $0.number >= mark }.prefix(3).map(\.text) }
    }

    private static func append(_ line: String) {
        // It quotes files and servers, and goes to a terminal.
        let clean = String(String.UnicodeScalarView(line.unicodeScalars.filter { $0.properties.generalCategory != .control }))
        guard !clean.isEmpty else { return }
        state.withLock { state in
            state.lines.append(Line(number: state.count, text: clean))
            state.count += 1
            if state.lines.count > 16 { state.lines.removeFirst() }
        }
    }
}
