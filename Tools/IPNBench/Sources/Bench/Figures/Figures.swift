import Glibc

/// All that is measured. Each figure prints its rows as soon as it has them.
struct Figures {
    /// The network that is made for each run.
    let path: String
    let isQuick: Bool
    /// How many short runs a median is taken of.
    var repeats: Int { isQuick ? 1 : 3 }

    static let names = ["wake", "spin", "flood", "frames", "counts", "memory", "oob", "keeper", "media"]

    func run(_ name: String) throws {
        switch name {
        case "wake": try wake()
        case "spin": try spin()
        case "flood": try flood()
        case "frames": try frames()
        case "counts": try counts()
        case "memory": try memory()
        case "oob": try deaths()
        case "keeper": try successions()
        case "media": try media()
        default: throw Failure("no figure \(name): there are \(Figures.names.joined(separator: ", "))")
        }
    }

    /// A run in which a reader found something wrong has no result.
    static func check(_ outcomes: [Outcome]) throws -> [Outcome] {
        for outcome in outcomes where outcome["wrong"] != 0 { throw Failure("\(outcome["wrong"]) messages came wrong") }
        if let sent = outcomes.last?.values["sent"] {
            for outcome in outcomes.dropLast() where outcome["received"] != sent {
                throw Failure("\(sent - outcome["received"]) of \(sent) messages did not come")
            }
        }
        return outcomes
    }
}

extension Outcome {
    subscript(name: String) -> Double { values[name, default: 0] }
}
