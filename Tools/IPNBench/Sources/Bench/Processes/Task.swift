/// What one worker process is to do, as its arguments say it.
struct Task {
    enum Workload: String {
        /// 200 messages a second on each carrier in turn, to a sleeper.
        case wake
        /// A message every 50 microseconds to a spinning reader; only its header is written and read.
        case spin
        /// As many messages as go, to a spinning reader that checks the first and the last word.
        case flood
        /// As many messages as go, to sleeping readers that read every byte.
        case frames
        /// A node that is connected and does nothing.
        case idle
        /// A message every 100 microseconds, to a reader that comes and takes one.
        case join
        /// A node, or a plain process, that holds memory until it is killed.
        case die
    }

    enum Side: String {
        case writer, reader
    }

    var workload: Workload
    var side = Side.writer
    var carriers: [Carrier]
    /// Bytes of a message.
    var size: Int
    /// How many messages to send; 0 for as many as go in `milliseconds`.
    var messages = 0
    var milliseconds = 0
    var readers = 1
    /// Which of the readers this is.
    var index = 0
    /// The network; peers put what they make beside it.
    var path: String
    /// Whether system calls and allocations are counted: nothing of the bench's own may be among them.
    var isCounted = false
    /// Whether memory is looked at, before an end is opened and afterwards.
    var isWeighed = false
    /// Seconds after which a worker is ended, done or not.
    var deadline = 60

    var arguments: [String] {
        [
            workload.rawValue, side.rawValue, carriers.map(\.word).joined(separator: ","), "\(size)", "\(messages)",
            "\(milliseconds)", "\(readers)", "\(index)", path, isCounted ? "1" : "0", isWeighed ? "1" : "0", "\(deadline)",
        ]
    }

    init(workload: Workload, carriers: [Carrier], size: Int, path: String) {
        self.workload = workload
        self.carriers = carriers
        self.size = size
        self.path = path
    }

    init?(arguments: [String]) {
        guard arguments.count == 12, let workload = Workload(rawValue: arguments[0]), let side = Side(rawValue: arguments[1])
        else { return nil }
        let numbers = arguments[3...7].compactMap { Int($0) }
        guard numbers.count == 5 else { return nil }
        self.workload = workload
        self.side = side
        carriers = arguments[2].split(separator: ",").map { Carrier(word: String($0)) }
        (size, messages, milliseconds, readers, index) = (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4])
        path = arguments[8]
        isCounted = arguments[9] == "1"
        isWeighed = arguments[10] == "1"
        deadline = Int(arguments[11]) ?? 60
    }

    /// Its word of the board: the readers' come first, then the writer's.
    var slot: Int { side == .writer ? readers : index }

    /// Whether readers never sleep.
    var spins: Bool { workload == .spin || workload == .flood }
}

/// What a worker found out, a line on its standard output.
struct Outcome {
    var values: [String: Double] = [:]
    /// Nanoseconds.
    var samples: [Carrier: [UInt64]] = [:]
    /// What went wrong.
    var text = ""

    init() {}

    init(line: Substring) {
        if line.hasPrefix("!") {
            text = String(line.dropFirst().prefix { $0 != "\n" })
            return
        }
        for field in line.split(whereSeparator: \.isWhitespace) {
            let parts = field.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            if parts[0].hasPrefix("@") {
                samples[Carrier(word: String(parts[0].dropFirst()))] = parts[1].split(separator: ",").compactMap { UInt64($0) }
            } else {
                values[String(parts[0])] = Double(parts[1])
            }
        }
    }

    var line: String {
        if !text.isEmpty { return "!\(text)" }
        let numbers = values.map { "\($0.key)=\($0.value)" }
        let lists = samples.map { "@\($0.key.word)=" + $0.value.map(String.init).joined(separator: ",") }
        return (numbers + lists).joined(separator: " ")
    }
}
