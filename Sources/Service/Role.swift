import Glibc

/// What a supervised process does: a command of this program.
struct Role: Sendable {
    let name: String
    let label: String
    let arguments: [String]
    /// Which argument is a file that must not be there yet.
    let file: Int?

    init(_ name: String, label: String, _ arguments: [String], file: Int? = nil) {
        self.name = name
        self.label = label
        self.arguments = arguments
        self.file = file
    }

    /// With the network's path for `{network}`.
    func on(_ path: String) -> Role {
        Role(name, label: label, arguments.map { $0 == "{network}" ? path : $0 }, file: file)
    }

    /// For another attempt: what was recorded stays, and the rest goes beside it, into `copy-2.mkv`.
    func again() -> Role {
        guard let file else { return self }
        var number = 2
        while access(Self.numbered(arguments[file], number), F_OK) == 0 { number += 1 }
        var arguments = arguments
        arguments[file] = Self.numbered(arguments[file], number)
        return Role(name, label: label, arguments, file: file)
    }

    /// `copy-2.mkv`.
    static func numbered(_ path: String, _ number: Int) -> String {
        guard let dot = path.lastIndex(of: "."), !path[dot...].contains("/") else { return "\(path)-\(number)" }
        return "\(path[..<dot])-\(number)\(path[dot...])"
    }
}
