/// What a message costs that should cost nothing: allocations and system calls.
extension Figures {
    func counts() throws {
        var task = Task(workload: .flood, carriers: [.ipn], size: 64, path: path)
        task.messages = isQuick ? 200_000 : 1_000_000
        task.isCounted = true
        let (outcomes, calls) = try Run.traced(task)
        let (reader, writer) = (try Figures.check(outcomes)[0], outcomes[1])
        let messages = rate(Double(task.messages))
        print(
            Row(
                figure: "Allocations in \(messages) messages, writer / reader",
                ours: "\(writer["allocations"].short) / \(reader["allocations"].short)", goal: "0"
            ).line)
        print(
            Row(
                figure: "System calls in \(messages) messages to a spinning reader, writer / reader",
                ours: "\(list(calls[1])) / \(list(calls[0]))", goal: "about 0"
            ).line)
    }

    private func list(_ calls: SystemCalls) -> String {
        let total = calls.values.reduce(0, +)
        guard total > 0 else { return "0" }
        return "\(total) (" + calls.sorted { $0.value > $1.value }.map { "\($0.key) \($0.value)" }.joined(separator: ", ") + ")"
    }
}
