import CIPN
import Glibc
import IPN
import Testing
import TestSupport

/// Whoever is killed, at whatever step of the code: nothing is lost among those who live, nobody waits for the dead, and it is
/// counted out. Thousands of such deaths, at all steps, are Tests/BusTests/Torture, whose parties are written in Swift.
@Suite struct KillTests {
    let scratch: Scratch
    let path: String
    let plan: DeathPlan

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
        plan = try DeathPlan(in: scratch)
    }

    private static let writerSteps = [
        "lend: slot lent", "publish: place stored, head not", "publish: head stored, nobody rung", "room: waiting, not looked again",
    ]
    private static let readerSteps = [
        "receive: taken, cursor not moved", "receive: cursor moved, waiting writers not rung", "sleep: armed, not looked again",
    ]
    private static let newcomerSteps = ["join: connected, no cursor placed", "roster: pulled, not taken up", "pool: announced"]

    /// A writer and a reader on a LOSSLESS network, where somebody else dies at a step of what it does.
    private func survive(_ way: Way, _ step: String, after ready: [String], dying: [String]) throws {
        let (writer, reader) = (try Party(way), try Party(way))
        try writer.makes(0, path, [IPN_SO_FLAGS: Int(IPN_FLAG_LOSSLESS), IPN_SO_MSGPOOLSIZE: 4])
        try writer.does("shutdown 0 0")
        try reader.joins(0, path)
        try reader.does("shutdown 0 1")
        try plan.set(SIGKILL, at: step)
        let victim = try Party(way, environment: [plan.environment])
        for line in ["socket 0 34 3 1"] + ready { try victim.does(line) }
        for line in dying { try victim.tell(line) }
        try reader.tell("gather 0 300 1")
        try writer.tell("stream 0 300 1")
        #expect(try writer.answer() == "ok 300")
        #expect(try reader.answer().hasPrefix("ok 300 from "))
        try eventually("it dies of it") { plan.hasHit(victim.child.pid) && victim.child.hasEnded }
        try eventually("it is counted out") {
            let status = try NetworkStatus(of: path)
            return status.readers == 1 && status.writers == 1 && status.nodes.count == 2
        }
    }

    @Test(arguments: Way.allCases, writerSteps) func aWriterIsKilled(way: Way, step: String) throws {
        // As one that receives and does not read, it would hold all up itself.
        try survive(way, step, after: ["shutdown 0 0", "connect 0 \(path)"], dying: ["stream 0 1000000 2"])
    }

    @Test(arguments: Way.allCases, readerSteps) func aReaderIsKilled(way: Way, step: String) throws {
        try survive(way, step, after: ["connect 0 \(path)"], dying: ["gather 0 1000000"])
    }

    @Test(arguments: Way.allCases, newcomerSteps) func aNewcomerIsKilled(way: Way, step: String) throws {
        try survive(way, step, after: [], dying: ["connect 0 \(path)", "stream 0 1 2"])
    }
}
