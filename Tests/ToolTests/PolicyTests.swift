import Glibc
import Testing
import TestSupport

/// create --policy and --protocol, and the other commands on such a network.
@Suite struct PolicyTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    private func run(_ environment: String, _ words: [String]) throws -> Child.Result {
        try Child.run("/usr/bin/env", [environment, Child.built("ipn")] + words)
    }

    @Test func aPolicyByItsPathAndTheOtherCommands() throws {
        try Tool.succeed(["create", path, "--policy", Child.built("libhub.so")])
        #expect(try Tool.succeed(["show", path]).text.contains("\(path): protocol 40, lossy"))
        let receiver = try Child(Child.built("ipn"), ["receive", path, "--count", "2"])
        let sent = try Child.run(Child.built("ipn"), ["send", path, "--wait-readers", "1"], input: Array("one\ntwo\n".utf8))
        #expect(sent.status == 0, "\(sent.errors)")
        let received = try receiver.finish()
        #expect(received.status == 0 && received.text == "one\ntwo\n", "\(received.errors)")
        try Tool.succeed(["remove", path])
        #expect(!exists(path))
    }

    @Test func aPolicysProtocolIsItsOwn() throws {
        for (number, status) in [("0", 2), ("1", 2), ("41", 1)] as [(String, CInt)] {
            let refused = try Tool.run(["create", path, "--policy", Child.built("libhub.so"), "--protocol", number])
            #expect(refused.status == status && refused.complaints.count == 1 && refused.errors.contains("protocol"), "\(refused.errors)")
            try eventually("nothing is left of it") { !exists(path) }
        }
        try Tool.succeed(["create", path, "--policy", Child.built("libhub.so"), "--protocol", "40"])
        try Tool.succeed(["remove", path])
    }

    /// Neither waited for nor loaded.
    @Test func aPolicyIsARegularFile() throws {
        let pipe = scratch("fifo.so")
        try #require(mkfifo(pipe, 0o600) == 0)
        for file in [pipe, scratch.path, "/dev/null"] {
            let refused = try Tool.run(["create", path, "--policy", file])
            #expect(refused.status == 1 && refused.complaints.count == 1, "\(refused.errors)")
            #expect(refused.errors.hasPrefix("ipn: \(file): this is another kind of file"), "\(refused.errors)")
            #expect(!exists(path))
        }
    }

    @Test func anInstalledPolicyByItsNumber() throws {
        let folder = scratch("policies")
        mkdir(folder, 0o755)
        symlink(Child.built("libsieve.so"), "\(folder)/41.so")
        #expect(try run("IPN_POLICIES=\(folder)", ["create", path, "--protocol", "41"]).status == 0)
        #expect(try Tool.succeed(["show", path]).text.contains("protocol 41"))
        // Who joins needs no policy.
        try Tool.succeed(["remove", path])
        let refused = try run("IPN_POLICIES=\(folder)", ["create", path, "--protocol", "40"])
        #expect(refused.status == 1 && refused.complaints.count == 1)
        #expect(refused.errors.hasPrefix("ipn: \(path): no policy is registered for protocol 40: install it as \(folder)/40.so"))
        #expect(!exists(path))
    }

    /// The number of a registered policy is that one's, by whatever path it comes, and nobody else's.
    @Test func aTakenNumberIsNobodyElses() throws {
        let folder = scratch("policies")
        mkdir(folder, 0o755)
        symlink(Child.built("libhub.so"), "\(folder)/40.so")
        let copy = scratch("copy.so")
        #expect(try Child.run("/bin/cp", [Child.built("libhub.so"), copy]).status == 0)
        let refused = try run("IPN_POLICIES=\(folder)", ["create", path, "--policy", copy])
        #expect(refused.status == 1 && refused.complaints.count == 1)
        #expect(refused.errors.hasPrefix("ipn: \(copy): it registers protocol 40, which is taken, by \(folder)/40.so"), "\(refused.errors)")
        try eventually("nothing is left of it") { !exists(path) }
        #expect(try run("IPN_POLICIES=\(folder)", ["create", path, "--policy", Child.built("libhub.so")]).status == 0)
        try Tool.succeed(["remove", path])
    }

    /// Its number is taken back with its file; the networks that use it have it still, and so has whoever joins them.
    @Test func whatIsTakenBackStaysWhereItIsInUse() throws {
        let folder = scratch("policies")
        mkdir(folder, 0o755)
        let installed = "\(folder)/40.so"
        #expect(try Child.run("/bin/cp", [Child.built("libhub.so"), installed]).status == 0)
        #expect(try run("IPN_POLICIES=\(folder)", ["create", path, "--protocol", "40"]).status == 0)
        unlink(installed)
        let refused = try run("IPN_POLICIES=\(folder)", ["create", scratch("other"), "--protocol", "40"])
        #expect(refused.status == 1 && refused.errors.contains("no policy is registered for protocol 40"), "\(refused.errors)")
        // Another takes the number.
        #expect(try Child.run("/bin/cp", [Child.built("libsieve.so"), installed]).status == 0)
        let receiver = try Child(Child.built("ipn"), ["receive", path, "--count", "1"])
        let sent = try Child.run(Child.built("ipn"), ["send", path, "--wait-readers", "1"], input: Array("still a hub\n".utf8))
        #expect(sent.status == 0, "\(sent.errors)")
        #expect(try receiver.finish().text == "still a hub\n")
        try Tool.succeed(["remove", path])
        unlink(installed)
        rmdir(folder)
    }

    @Test func aReceiverIsToldThatThePolicyCrashed() throws {
        try Tool.succeed(["create", path, "--policy", Child.built("libodd.so")])
        let receiver = try Child(Child.built("ipn"), ["receive", path])
        try eventually("it is there") { try Tool.succeed(["show", path]).text.contains("1 readers") }
        _ = try Child.run(Child.built("ipn"), ["show", path])
        let sender = try Child(Child.built("TestPeer"), ["peer"])
        try sender.write("connect \(path) w port=5\nsend segv\n")
        let ended = try receiver.finish()
        #expect(ended.status == 1 && ended.complaints.count == 1)
        #expect(ended.errors.contains("\(path): the network has ended: its policy crashed (Segmentation fault)"), "\(ended.errors)")
    }
}
