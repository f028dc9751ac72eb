import TestSupport

/// Where a death is tried.
struct TortureStep {
    /// What a party has to do to get there.
    enum Family {
        case writer, reader, guest
        /// While a keeper is replaced.
        case electing
        /// The keeper itself.
        case keeper
        /// Making a network, beside another that does; taking over the file of one whose every party was killed.
        case maker, successor
        /// The keeper, when everybody has left.
        case ending
    }

    let family: Family
    let name: String
    /// How often at most a party comes there before it dies.
    let passes: UInt64

    static let all: [TortureStep] =
        of(
            .writer,
            [
                ("lend: slot lent", 30),
                ("publish: entry filled, place not stored", 30),
                ("publish: place stored, head not", 30),
                ("publish: head stored, nobody rung", 30),
                ("retire: oldest stored, nothing freed", 1),
                ("room: waiting, not looked again", 2),
                ("pool: made, not announced", 1),
                ("pool: announced", 1),
            ])
        + of(
            .reader,
            [
                ("receive: pinned, oldest not looked at", 8),
                ("receive: taken, cursor not moved", 8),
                ("receive: tail moved, pin kept", 8),
                ("receive: cursor moved, waiting writers not rung", 8),
                ("sleep: armed, not looked again", 3),
                ("adopt: tail placed, generation not", 2),
            ])
        + of(
            .guest,
            [
                ("join: about to ask", 2),
                ("join: connected, no cursor placed", 2),
                ("roster: pulled, not taken up", 2),
                ("leave: about to ask", 2),
                ("leave: left", 2),
            ])
        + of(
            .electing,
            [
                ("election: nobody keeps it", 1),
                ("election: locked", 1),
                ("start: door open, nobody behind it", 1),
                ("start: keeper started", 1),
                ("return: asked", 1),
                ("return: page swapped", 1),
                ("return: asked for the roster", 1),
            ])
        + of(
            .keeper,
            [
                ("keeper: roll inherited, nothing published", 1),
                ("keeper: taken back, not answered", 4),
                ("keeper: welcomed, starts not noted", 4),
                ("keeper: on the roll, not announced", 2),
                ("keeper: done, not answered", 12),
                ("keeper: answered", 12),
                ("keeper: pool on the roll, not announced", 1),
                ("keeper: departure on the roll, not announced", 2),
                ("keeper: struck out, not announced", 2),
            ])
        + of(.maker, [("make: marker bound, no keeper", 1), ("start: door open, nobody behind it", 1), ("start: keeper started", 1)])
        + of(.successor, [("take over: marker bound, not renamed", 1), ("take over: file replaced, no keeper", 1), ("start: keeper started", 1)])
        + of(.ending, [("keeper: about to end", 1), ("keeper: door removed, file not", 1)])

    static func of(_ families: Family...) -> [TortureStep] { all.filter { families.contains($0.family) } }

    private static func of(_ family: Family, _ names: [(String, UInt64)]) -> [TortureStep] {
        names.map { TortureStep(family: family, name: $0.0, passes: $0.1) }
    }
}
