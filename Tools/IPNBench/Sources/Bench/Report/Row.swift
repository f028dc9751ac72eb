/// A line of the table: one figure of ours, and of each peer.
struct Row {
    let figure: String
    let ours: String
    /// What the machine allows: a bare eventfd or ring.
    var bare = ""
    var stream = ""
    var zeroMQ = ""
    var goal = ""

    static let head = """
        | | IPN | bare | SOCK_STREAM | ZeroMQ | goal |
        |---|---|---|---|---|---|
        """

    var line: String { "| \(figure) | \(ours) | \(bare) | \(stream) | \(zeroMQ) | \(goal) |" }
}
