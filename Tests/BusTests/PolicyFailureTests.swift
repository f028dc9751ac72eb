import Glibc
import IPN
import SystemPackage
import Testing
import TestSupport

/// A policy that is none, is of another version, or crashes: its own network hears of it, and no other.
@Suite struct PolicyFailureTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    private func bind(_ policy: String, mtu: Int = 1514) throws {
        try Node().bind(
            path,
            options: .with {
                $0.policy = policy
                $0.mtu = mtu
            })
    }

    /// Binds, and gives the error that must come; nothing is left of the attempt.
    private func refusal(_ code: CInt, _ policy: String, mtu: Int = 1514) throws -> String {
        do {
            try bind(policy, mtu: mtu)
            Issue.record("nothing was thrown")
            return ""
        } catch let error as IPNError {
            #expect(error.errno.rawValue == code, "\(error)")
            try eventually("the file is gone") { !exists(path) }
            return error.description
        }
    }

    @Test func whatCannotBeLoadedIsNamedWithTheReason() throws {
        let missing = scratch("missing.so")
        #expect(try refusal(ENOENT, missing).hasPrefix("\(missing): the policy cannot be opened"))
        let text = scratch("text.so")
        let file = fopen(text, "w")
        fputs("no object at all", file)
        fclose(file)
        #expect(try refusal(ENOEXEC, text).hasPrefix("\(text): it cannot be loaded: "))
        let library = Child.built("libfuture.so")
        let version = try refusal(EPROTONOSUPPORT, library)
        #expect(version.contains("made for version 2") && version.contains("keeper speaks version 1"), "\(version)")
        #expect(try refusal(ENOTUNIQ, Child.built("libodd.so"), mtu: 667).contains("odd refuses"))
    }

    @Test func aLibraryThatIsNoPolicyIsRefused() throws {
        // Something that is loaded here can be loaded there.
        let loaded = try Child.run("/bin/cat", ["/proc/\(getpid())/maps"]).text.split(separator: "\n")
        let library = String(try #require(loaded.first { $0.contains("/libm.so") }?.split(separator: " ").last))
        #expect(try refusal(ENOEXEC, library).contains("exports no ipn_policy_entry"))
    }

    @Test func anotherProtocolThanThePolicysIsRefused() throws {
        expect(throws: errno(EPROTO)) {
            try Node().bind(
                path,
                options: .with {
                    $0.policy = Child.built("libhub.so")
                    $0.protocolNumber = 41
                })
        }
        expect(throws: errno(EINVAL)) {
            try Node().bind(
                path,
                options: .with {
                    $0.policy = Child.built("libhub.so")
                    $0.history = 1
                })
        }
    }

    /// Lengths and errnos beyond all reason are refused, or told as what they are; the keeper goes on.
    @Test func whatAPolicySaysIsNotBelieved() throws {
        let anna = try Node(binding: path, options: .with { $0.policy = Child.built("libodd.so") })
        let bert = Node()
        try bert.connect(path, port: 4)
        for port in [14, 15] { expect(throws: errno(EIO)) { try Node().connect(path, port: port) } }
        expect(throws: errno(EIO)) { _ = try anna.policyOption(3) }
        #expect(try anna.policyOption(2, room: 100).count == 100)
        try anna.send("vast")
        func tally() throws -> [Int64] { try anna.policyOption(1).withUnsafeBytes { Array($0.bindMemory(to: Int64.self)) } }
        try eventually("it was handled") { try tally()[2] != 0 }
        // To two nodes, and the three other calls; its own message, made as vast, to the other.
        #expect(try tally()[3] == 5 && tally()[2] == Int64(-EMSGSIZE))
        try anna.send("alive")
        #expect(try #require(try bert.receive()).bytes == Array("alive".utf8))
    }

    /// By a signal, and by an exit.
    @Test(arguments: [666, 668]) func aCrashWhileTheNetworkIsMadeIsToldOnce(mtu: Int) throws {
        #expect(try refusal(ENOEXEC, Child.built("libodd.so"), mtu: mtu).contains("crashed as it was loaded"))
    }

    /// By a signal; and by leaving, or by closing what is not its own, of which no signal tells.
    @Test(arguments: [
        ("segv", SIGSEGV), ("abort", SIGABRT), ("dive", SIGSEGV), ("kill", SIGKILL), ("exit", 0), ("quick", 0), ("_exit", 0), ("_Exit", 0),
        ("leave", 0), ("close", 0),
    ])
    func aCrashEndsItsOwnNetworkWithAReason(word: String, signal: CInt) throws {
        let other = try Node(binding: scratch("other"), options: .with { $0.policy = Child.built("libodd.so") })
        let anna = try Node(binding: path, options: .with { $0.policy = Child.built("libodd.so") })
        let sleeper = try Peer()
        try sleeper.expect("connect \(path) rw port=3")
        try sleeper.tell("receive")
        try eventually("it sleeps") { sleeper.child.isAsleep }
        let keeper = try KeeperProcess(of: path)
        let descriptor = try anna.fileDescriptor()
        #expect(!isReadable(descriptor))
        try anna.send(word)
        #expect(isReadable(descriptor, milliseconds: watchdogMilliseconds))
        try keeper.waitUntilGone()
        try eventually("it is known") { anna.isNetworkGone }
        let reason = signal == SIGKILL || signal == 0 ? "its keeper is gone" : "its policy crashed (\(String(cString: strsignal(signal))))"
        let answer = try sleeper.answer()
        #expect(answer.hasPrefix("error \(ECONNRESET) ") && answer.contains("the network has ended: \(reason)"), "\(answer)")
        expect(throws: errno(ECONNRESET)) { _ = try anna.receive(timeout: .zero) }
        expect(throws: errno(EPIPE)) { try anna.send("on") }
        #expect(isReadable(descriptor), "and stays so")
        // No other network, and no other keeper.
        let peer = Node()
        try peer.connect(scratch("other"), port: 4)
        try other.send("alive")
        #expect(try #require(try peer.receive()).bytes == Array("alive".utf8))
        #expect(throws: (any Error).self) { try KeeperProcess(of: path) }
        if signal != SIGKILL {
            #expect(!exists(path) && !keeper.isListening)
            #expect(try Node(binding: path).madeNetwork)
        }
    }

    /// What it forks is no keeper, however it ends.
    @Test func aPolicysChildEndsNoNetwork() throws {
        let anna = try Node(binding: path, options: .with { $0.policy = Child.built("libodd.so") })
        let bert = Node()
        try bert.connect(path, port: 4)
        try anna.send("child")
        #expect(try #require(try bert.receive()).bytes == Array("child".utf8))
        #expect(exists(path))
        try Node().connect(path, port: 5)
    }
}
