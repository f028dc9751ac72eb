import Glibc
import IPN
import Testing
import TestSupport

/// Nodes that come and go leave nothing behind: neither in the keeper, nor in who stays, nor in who comes and goes.
@Suite struct ChurnTests {
    /// Joins and leaves in all. Tools/churn asks for a hundred thousand.
    static let count = getenv("IPN_CHURN").flatMap { Int(String(cString: $0)) } ?? 3000

    /// What a process holds.
    struct Holdings: CustomStringConvertible {
        let descriptors: Int
        let residentKiB: Int

        init(of pid: Int32) {
            descriptors = openDescriptors(of: pid)
            residentKiB = residentBytes(of: pid) / 1024
        }

        var description: String { "\(descriptors) descriptors, \(residentKiB) KiB" }
    }

    @Test func memoryAndDescriptorsAreFlat() throws {
        let scratch = try Scratch()
        let path = scratch("net")
        let manager = Node()
        try manager.bind(path)
        _ = chmod(path, 0o777)
        let keeper = try KeeperProcess(of: path)
        let stays = try Peer()
        try stays.expect("connect \(path)")
        let movers = try [nil, isRoot ? stranger : nil].map { try Peer(user: $0) }

        func holdings() -> [Holdings] { ([keeper.pid, stays.child.pid] + movers.map(\.child.pid)).map(Holdings.init) }
        func churn(_ joins: Int) throws {
            // The one who stays reads now and then, as otherwise all that was ever sent would be its to read.
            for _ in stride(from: 0, to: joins, by: 100) {
                for mover in movers { try mover.tell("churn \(path) 50") }
                for mover in movers { #expect(try mover.answer() == "ok") }
                while try stays.expect("receive 0") != "none" {}
            }
        }
        // Until everything has been used once, and the roster's log was cut.
        try churn(1500)
        let before = holdings()
        try churn(max(Self.count - 1500, 0))
        try eventually("descriptors are closed") { zip(before, holdings()).allSatisfy { $1.descriptors <= $0.descriptors } }
        for (before, after) in zip(before, holdings()) {
            #expect(after.residentKiB <= before.residentKiB + 2048, "\(before) before, \(after) after \(Self.count) joins")
        }
        print("\(Self.count) joins: keeper \(before[0]) -> \(holdings()[0]); a member \(before[1]) -> \(holdings()[1])")
    }
}
