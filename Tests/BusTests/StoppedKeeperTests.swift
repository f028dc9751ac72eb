import Glibc
import IPN
import SystemPackage
import Testing
import TestSupport

/// A keeper that is only stopped: what goes on without it, and what is made up for when it goes on.
@Suite struct StoppedKeeperTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    @Test func aStoppedKeeperHoldsUpNoLossyWriter() throws {
        let writer = try Node(binding: path)
        let reader = try Peer()
        try reader.expect("connect \(path) r")
        try writer.send("first")
        #expect(try reader.expect("receive") == "0 0 first")
        let keeper = try KeeperProcess(of: path)
        kill(keeper.pid, SIGSTOP)
        defer { kill(keeper.pid, SIGCONT) }
        for index in 0..<10_000 { try writer.send("\(index)", timeout: .zero) }
        #expect(try reader.expect("receive").hasSuffix(" 9992"))
    }

    @Test func aStoppedKeeperHoldsUpNoReader() throws {
        let writer = try Node(binding: path)
        let reader = try Node(connecting: path)
        try writer.send("first")
        #expect(try reader.receive()?.text == "first")
        // Somebody has come and sent of whom neither has heard when the keeper stops.
        let newcomer = try Peer()
        try newcomer.expect("connect \(path)")
        try newcomer.expect("send new")
        let keeper = try KeeperProcess(of: path)
        kill(keeper.pid, SIGSTOP)
        defer { kill(keeper.pid, SIGCONT) }
        try writer.send("second")
        #expect(try reader.receive()?.text == "second")
        #expect(try reader.receive(timeout: .zero) == nil)
        #expect(try reader.receive(timeout: .milliseconds(30)) == nil)
        try writer.send("third")
        #expect(try reader.receive(timeout: .zero)?.text == "third")
        // It sleeps, and is told of the newcomer as soon as the keeper goes on.
        let sleeper = OtherThread { (try? reader.receive())?.text == "new" ? nil : .badFileDescriptor }
        kill(keeper.pid, SIGCONT)
        #expect(sleeper.wait() == nil)
    }

    /// What a keeper says that goes on is the news of when it stopped: a look that need not wait waits for what came since.
    @Test func aKeeperThatGoesOnTellsAllOfIt() throws {
        let manager = try Node(binding: path)
        let reader = try Node(connecting: path, directions: .receive)
        let (early, late) = (try Peer(), try Peer())
        try early.expect("connect \(path)")
        try early.expect("send early")
        let keeper = try KeeperProcess(of: path)
        kill(keeper.pid, SIGSTOP)
        #expect(try reader.receive(timeout: .zero) == nil, "nobody has told of its sender")
        kill(keeper.pid, SIGCONT)
        // It answers in the order in which it was asked.
        try late.expect("connect \(path)")
        try late.expect("send late")
        #expect(try Set(reader.drain().map(\.text)) == ["early", "late"])
        manager.close()
    }
}
