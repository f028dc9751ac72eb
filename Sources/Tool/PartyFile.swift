import ArgumentParser
import Foundation
import TOMLKit

/// `ipn tee -f party.toml`: the options of the command line as keys of a TOML file, checked with line and column.
struct PartyFile {
    /// What stands for a key's value.
    private enum Kind: String {
        case text = "a string"
        /// `a.mkv`, or several in brackets.
        case texts = "a string, or strings in brackets"
        case flag = "true or false"
        case number = "a number"
        /// `10`, `"10m"`.
        case time = "a number of seconds, or a string like \"10m\""
    }

    /// Every option of `ipn tee`, by its name without the dashes.
    private static let kinds: [String: Kind] = [
        "input": .texts, "record": .texts, "stream": .texts, "play": .flag, "sound": .flag, "overwrite": .flag, "duration": .time,
        "restart": .flag, "network": .text, "mode": .text, "metrics": .text, "after-loss": .text,
        "loop": .flag, "seek": .time, "slide": .time, "speed": .number,
        "encode": .text, "encode-audio": .text, "encode-size": .text, "beside": .flag,
        "size": .text, "rate": .text, "format": .text, "control": .texts, "channels": .number, "period": .number, "buffer": .number,
        "wait": .flag,
    ]
    /// Over this it is no party's description.
    private static let sizeLimit = 1 << 20

    let path: String
    private let places: TOMLKeyPlaces
    /// The words of a command line for each key, but for the input, in the order of the file.
    private var wordsOfKey: [(key: String, words: [String])] = []
    private(set) var input: [String] = []

    /// Reads it.
    /// - Throws: `Failure`: what is wrong, where.
    init(_ path: String) throws {
        self.path = path
        let data = try Self.contents(of: path)
        guard data.count <= Self.sizeLimit, let text = String(validating: data, as: UTF8.self), !text.contains("\0") else {
            throw Failure("\(path): no TOML file: it is not text of up to a megabyte", status: .usage)
        }
        places = TOMLKeyPlaces(in: text)
        let table: TOMLTable
        do {
            table = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            throw Failure("\(path):\(error.source.begin.line):\(error.source.begin.column): \(error.description)", status: .usage)
        }
        for key in table.keys.sorted(by: { (places[$0]?.line ?? 0, $0) < (places[$1]?.line ?? 0, $1) }) {
            guard let value = table[key] else { continue }
            try take(key, value)
        }
    }

    /// All of a file, or of what a pipe has to say; a little more than the limit of what is longer.
    private static func contents(of path: String) throws(Failure) -> Data {
        guard let file = fopen(path, "re") else { throw unreadable(path) }
        defer { fclose(file) }
        var data = Data(count: sizeLimit + 1)
        let count = data.withUnsafeMutableBytes { fread($0.baseAddress, 1, $0.count, file) }
        guard ferror(file) == 0 else { throw unreadable(path) }
        return data.prefix(count)
    }

    private static func unreadable(_ path: String) -> Failure { Failure("\(path): cannot be read: \(String(cString: strerror(errno)))") }

    private mutating func take(_ key: String, _ value: any TOMLValueConvertible) throws {
        guard let kind = Self.kinds[key] else {
            let near = Self.kinds.keys.filter { $0.hasPrefix(key) || key.hasPrefix($0) }.sorted().first
            throw failure(key, "\(key): there is no such key" + (near.map { "; \($0) is one" } ?? "; ipn tee --help has all: its options"))
        }
        guard let texts = Self.texts(value, kind) else { throw failure(key, "\(key): \(kind.rawValue) belongs here") }
        switch (key, kind) {
        case ("input", _): input = texts
        case ("sound", _): wordsOfKey.append((key, value.bool == false ? ["--no-sound"] : []))
        case (_, .flag): wordsOfKey.append((key, value.bool == true ? ["--\(key)"] : []))
        default: wordsOfKey.append((key, texts.map { "--\(key)=\($0)" }))
        }
    }

    private static func texts(_ value: any TOMLValueConvertible, _ kind: Kind) -> [String]? {
        switch (kind, value.type) {
        case (.flag, .bool): []
        case (.text, .string), (.texts, .string), (.time, .string): value.string.map { [$0] }
        case (.number, .int), (.time, .int): value.int.map { ["\($0)"] }
        case (.number, .double), (.time, .double): value.double.map { ["\($0)"] }
        case (.texts, .array):
            value.array.flatMap { array in
                let texts = array.compactMap { $0.type == .string ? $0.string : nil }
                return texts.count == array.count ? texts : nil
            }
        default: nil
        }
    }

    /// The words for a command line, less the keys that have been said there.
    func words(without keys: Set<String> = []) -> [String] { wordsOfKey.filter { !keys.contains($0.key) }.flatMap(\.words) }

    /// Says of a command line that could not be made of it which key is to blame.
    /// - Parameter refusal: why words are refused; nil where they are not.
    func check(_ refusal: ([String]) -> String?) throws {
        guard let message = refusal(words()) else { return }
        // The one without which it would do.
        let culprit = wordsOfKey.first { entry in refusal(words(without: [entry.key])) == nil }
        throw culprit.map { failure($0.key, message) } ?? Failure("\(path):1:1: \(message)", status: .usage)
    }

    func missing(_ what: String) -> Failure { Failure("\(path):1:1: \(what)", status: .usage) }

    private func failure(_ key: String, _ message: String) -> Failure {
        let place = places[key] ?? (1, 1)
        return Failure("\(path):\(place.line):\(place.column): \(message)", status: .usage)
    }
}
