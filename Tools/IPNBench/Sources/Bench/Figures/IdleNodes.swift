import IPN

/// Nodes that are connected both ways and do nothing, but that each sends one message when told to.
struct IdleNodes {
    let ends: Ends

    func run() throws -> Outcome {
        let task = ends.task
        let nodes = try (0..<task.messages).map { _ in try Node(connecting: task.path) }
        ends.board.progress(task.index).value = 1
        ends.board.go.wait(until: 1)
        for node in nodes { try node.send([1, 2, 3]) }
        ends.board.progress(task.index).value = 2
        ends.board.report.wait(until: 1)
        nodes.forEach { $0.close() }
        return Outcome()
    }
}
