import CBench
import Glibc
import IPN

/// How soon somebody new is on a network whose keeper was just killed.
extension Figures {
    func successions() throws {
        var task = Task(workload: .join, carriers: [.ipn], size: 64, path: path)
        task.readers = 0
        let times = try Run.successions(task, count: isQuick ? 20 : 200)
        print(
            Row(
                figure: "From SIGKILL of the keeper, while a writer sends, to a newcomer's first message, µs p50 / p99",
                ours: microseconds(times), goal: "p99 ≤ 100,000"
            ).line)
    }
}

extension Run {
    /// A newcomer for each keeper that is killed while the writer sends.
    /// - Returns: nanoseconds from the kill to the newcomer's first message.
    fileprivate static func successions(_ task: Task, count: Int) throws -> [UInt64] {
        try withWriter(task) { _ in
            try (0..<count).map { _ in
                guard kill(try keeperProcess(of: task.path), SIGKILL) == 0 else { throw Failure(calling: "kill", errno) }
                let start = bench_now()
                let newcomer = try Node(connecting: task.path, directions: .receive)
                defer { newcomer.close() }
                while try newcomer.receive() == nil {}
                return bench_now() - start
            }
        }
    }
}
