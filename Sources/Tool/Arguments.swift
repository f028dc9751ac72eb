import ArgumentParser
import IPN
import SystemPackage

/// A number of bytes: `1514`, `64K`, `4M`, `1G`, `2T`; powers of 1024.
struct ByteCount: ExpressibleByArgument {
    let bytes: Int

    init(_ bytes: Int) { self.bytes = bytes }

    init?(argument: String) {
        let units: [Character: Int] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40]
        var digits = argument[...]
        var unit = 1
        if let last = digits.last?.uppercased().first, let factor = units[last] {
            unit = factor
            digits = digits.dropLast()
        }
        guard let number = Int(digits), number >= 0, number <= Int.max / unit else { return nil }
        bytes = number * unit
    }

    var defaultValueDescription: String { "\(bytes)" }
}

/// Permission bits in octal: `750`.
struct Mode: ExpressibleByArgument {
    let permissions: FilePermissions

    init(_ permissions: FilePermissions) { self.permissions = permissions }

    init?(argument: String) {
        guard let bits = UInt32(argument, radix: 8), bits <= 0o777 else { return nil }
        permissions = FilePermissions(rawValue: bits)
    }

    var defaultValueDescription: String { String(permissions.rawValue, radix: 8) }

    /// Cameras and microphones are private.
    static let ownerOnly = Mode(FilePermissions(rawValue: 0o700))
}

/// A time: `10`, `0.5` seconds, or `250ms`, `30s`, `10m`, `24h`, `1d`.
struct Seconds: ExpressibleByArgument {
    let seconds: Double
    var nanoseconds: Int64 { Int64(seconds * 1e9) }

    init(_ seconds: Double) { self.seconds = seconds }

    init?(argument: String) {
        let units: [(String, Double)] = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("d", 86400)]
        let unit = units.first { argument.hasSuffix($0.0) } ?? ("", 1)
        // Double would take "inf" and "0x1p3" as well.
        guard let number = Double(argument.dropLast(unit.0.count)), argument.first?.isNumber ?? false || argument.first == ".",
            number.isFinite, number >= 0, number * unit.1 < 1e9
        else { return nil }
        seconds = number * unit.1
    }

    var defaultValueDescription: String { "\(seconds)" }
}

/// What a network is made with.
struct NetworkArguments: ParsableArguments {
    @Option(help: "Longest message in bytes; K, M and G are powers of 1024. 1 to 1G.")
    var mtu = ByteCount(NetworkOptions().mtu)
    @Option(help: "Messages that may be pending: for each receiver, or in the whole network with --lossless.")
    var pool = NetworkOptions().poolSize
    @Option(help: "Most nodes at a time, 1 to 65535.")
    var nodes = NetworkOptions().nodeLimit
    @Option(help: "Messages that each sender keeps for those who join later.")
    var history = 0
    @Flag(help: "Hold senders up when the pool is full, instead of dropping the oldest message.")
    var lossless = false
    @Option(help: "Who may receive (r), send (w) and manage (x), in octal; less the umask.")
    var mode = Mode.ownerOnly

    var options: NetworkOptions {
        var options = NetworkOptions()
        options.mtu = mtu.bytes
        options.poolSize = pool
        options.nodeLimit = nodes
        options.history = history
        options.isLossless = lossless
        options.mode = mode.permissions
        return options
    }
}

/// The words of a command line for those options that have a value, for a command that starts others.
func optionWords(_ options: [(name: String, value: String?)]) -> [String] {
    options.flatMap { name, value in value.map { [name, $0] } ?? [] }
}
