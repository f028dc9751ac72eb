import Foundation
import Glibc
import Testing

/// What a player's keys do, to an ear at the sound server and to an eye at the terminal.
@Suite(.onStage, .serialized) struct ListeningTests {
    /// The loudness that ffmpeg writes down, a line for each millisecond, in dB.
    private struct Ear {
        let file: String
        private let program: Program

        init(_ theatre: Theatre) throws {
            file = theatre.scratch.log("heard")
            program = try Program(
                [
                    "ffmpeg", "-v", "error", "-f", "pulse", "-fragment_size", "960", "-i", "loft.monitor", "-af",
                    "asetnsamples=48,astats=metadata=1:reset=1,ametadata=print:key=lavfi.astats.Overall.Peak_level:file=\(file):direct=1", "-f",
                    "null", "-",
                ], in: theatre.scratch, environment: theatre.environment)
        }

        private var levels: [Double] {
            ((try? String(contentsOfFile: file, encoding: .utf8)) ?? "").split(separator: "\n").compactMap { line in
                guard line.hasPrefix("lavfi") else { return nil }
                return line.hasSuffix("-inf") ? -200 : line.split(separator: "=").last.flatMap { Double($0) }
            }
        }

        /// The loudest of the next two seconds: a beep comes each second.
        func loudest(_ what: String, _ isExpected: (Double) -> Bool) async throws {
            var start = levels.count
            try await until(what) {
                let heard = levels.dropFirst(start)
                guard heard.count >= 2000 else { return false }
                start += heard.count
                return isExpected(heard.max() ?? -200)
            }
        }

        func end() async throws {
            program.send(SIGINT)
            _ = try await program.ended()
        }
    }

    @Test func muteAndVolumeAreHeard() async throws {
        let scratch = try Scratch()
        let theatre = try await Theatre(in: scratch)
        let publisher = try scratch.ipn("publish", "test:size=160x90,flash", "net")
        try await until("the network is there") { try await scratch.show("net") != nil }
        let ear = try Ear(theatre)
        let player = try scratch.ipn("play", "net", environment: theatre.environment)
        func press(_ key: String, _ times: Int = 1) async throws {
            for _ in 0..<times { try await Program(["xdotool", "key", key], in: scratch, environment: theatre.environment).succeeded() }
        }
        // The beep is at a quarter of the full scale.
        try await ear.loudest("it beeps") { $0 > -16 }
        try await press("m")
        try await ear.loudest("it is mute") { $0 < -60 }
        try await press("m")
        try await ear.loudest("it beeps again") { $0 > -16 }
        // From 100 to 60 percent, of which the third power is taken: 13 dB.
        try await press("9", 8)
        try await ear.loudest("it beeps quietly") { -34 < $0 && $0 < -20 }
        try await press("q")
        try await player.succeeded()
        try await ear.end()
        publisher.send(SIGINT)
        try await publisher.succeeded()
        try await scratch.expectNothingLeft()
    }

    /// A picture in characters, and a terminal that is as it was afterwards.
    @Test func aTerminalShowsThePicture() async throws {
        try await withLiveNetwork { scratch in
            #expect(mkfifo(scratch.file("keys"), 0o600) == 0)
            let player = try Program(
                ["sh", "-c", "script -qfc \"stty cols 80 rows 24; '\(Scratch.executable)' play net --terminal --no-sound\" screen <keys"],
                in: scratch)
            // Held open, so that the terminal has somebody at its keys until one is pressed.
            let keys = open(scratch.file("keys"), O_WRONLY)
            defer { close(keys) }
            func screen() -> String { String(decoding: FileManager.default.contents(atPath: scratch.file("screen")) ?? Data(), as: UTF8.self) }
            try await until("there is a picture") { screen().count(where: { $0 == "▀" }) > 5000 }
            #expect(write(keys, "q", 1) == 1)
            try await player.succeeded()
            let all = screen()
            let (begin, end) = ("\u{1b}[?1049h", "\u{1b}[?1049l")
            #expect(all.ranges(of: begin).count == 1 && all.ranges(of: end).count == 1)
            #expect(all.components(separatedBy: end).last?.contains("pictures shown") == true)
            // The eight bars from left to right, to within what coding does to them: ten columns each, in the middle between the time
            // code and the block, where both pixels of a cell are the same.
            let row = Self.cells(of: String(all.components(separatedBy: end)[0].suffix(40_000)))[12] ?? [:]
            let bars = [[191, 191, 191], [191, 191, 0], [0, 191, 191], [0, 191, 0], [191, 0, 191], [191, 0, 0], [0, 0, 191], [0, 0, 0]]
            for (number, bar) in bars.enumerated() {
                let cell = try #require(row[number * 10 + 6], "\(row)")
                for color in [cell.front, cell.behind] {
                    #expect(color.count == 3 && zip(color, bar).allSatisfy { abs($0 - $1) < 20 }, "bar \(number): \(cell)")
                }
            }
        }
    }

    /// What a terminal shows of half blocks: row → column → the colours of the upper and the lower pixel.
    private static func cells(of text: String) -> [Int: [Int: (front: [Int], behind: [Int])]] {
        var cells: [Int: [Int: (front: [Int], behind: [Int])]] = [:]
        var (row, column) = (0, 0)
        var (front, behind): ([Int], [Int]) = ([], [])
        // Cut off in front, the first is no sequence.
        for sequence in text.components(separatedBy: "\u{1b}[").dropFirst() {
            guard let end = sequence.firstIndex(where: \.isLetter) else { continue }
            let numbers = sequence[..<end].split(separator: ";").compactMap { Int($0) }
            switch (sequence[end], numbers.first) {
            case ("H", _) where numbers.count == 2: (row, column) = (numbers[0], numbers[1])
            case ("m", 38): front = Array(numbers.suffix(3))
            case ("m", 48): behind = Array(numbers.suffix(3))
            case ("m", _): (front, behind) = ([], [])
            default: break
            }
            for _ in sequence[sequence.index(after: end)...].prefix(while: { $0 == "▀" }) {
                cells[row, default: [:]][column] = (front, behind)
                column += 1
            }
        }
        return cells
    }
}
