import CLinux
import Glibc
import IPN
import SystemPackage
import Testing
import TestSupport

/// Where something runs out, whoever wants it is told with an error: no signal ends it, and nobody else is harmed.
@Suite struct ScarceTests {
    let scratch: Scratch
    let path: String
    let honest: Node

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
        honest = try Node(binding: path, options: .with { $0.mtu = 1 << 20 })
    }

    /// A node in a process that has only that much: words for sh(1)'s ulimit.
    private func poor(_ limit: String) throws -> Child {
        // What other tests of this process have open at the moment may be inherited.
        let own = #"for fd in /proc/$$/fd/*; do [ "${fd##*/}" -le 2 ] || eval "exec ${fd##*/}>&-"; done"#
        return try Child("/bin/bash", ["-c", "\(own); ulimit \(limit) && exec \"$0\" peer", Child.built("TestPeer")])
    }

    /// Asks for everything that takes something, and goes on to the end.
    /// - Returns: the answers; nil where such a process cannot even begin.
    private func strive(_ child: Child, _ words: [String]) throws -> [String]? {
        // One that cannot begin reads nothing, and its status says so.
        try? child.write(words.map { "\($0)\n" }.joined())
        let result = try child.finish()
        // 127: the loader could not map a library.
        if result.status == 127 { return nil }
        #expect(result.status == 0, "\(result.errors)")
        let answers = result.text.split(separator: "\n").map(String.init)
        #expect(answers.count == words.count)
        for answer in answers where !answer.hasPrefix("ok") {
            #expect(answer.hasPrefix("error ") && !answer.hasPrefix("error 0 "), "\(answer)")
        }
        return answers
    }

    private func expectAlive() throws {
        let other = try Node(connecting: path)
        try honest.send("alive")
        #expect(try other.drain().contains { $0.bytes == Array("alive".utf8) })
        _ = try honest.drain()
    }

    private static let everything = ["connect %", "send x", "receive 0", "sendn 3 1000000 1", "receive 0", "close"]

    private func everything() -> [String] { Self.everything.map { $0.replacing("%", with: path) } }

    @Test func descriptors() throws {
        var hasFailed = false
        var hasWorked = false
        for count in [5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 20, 24, 32, 64] {
            guard let answers = try strive(poor("-n \(count)"), everything()) else { continue }
            let failed = answers.filter { $0.hasPrefix("error \(EMFILE) ") }
            hasFailed = hasFailed || !failed.isEmpty
            hasWorked = hasWorked || answers.allSatisfy { $0.hasPrefix("ok") }
        }
        #expect(hasFailed && hasWorked)
        try expectAlive()
    }

    /// A keeper without descriptors says so to who comes, and keeps whom it has.
    @Test func descriptorsOfTheKeeper() throws {
        let poorPath = scratch("poor")
        let maker = try poor("-n 48")
        try maker.write("bind \(poorPath) nodes=64\nconnect -\n")
        #expect(try maker.line() == "ok made")
        #expect(try maker.line().hasPrefix("ok 0"))
        var nodes: [Node] = []
        var failure: IPNError?
        while failure == nil {
            do throws(IPNError) { nodes.append(try Node(connecting: poorPath)) } catch { failure = error }
        }
        #expect(nodes.count > 2 && nodes.count < 48)
        #expect([ENFILE, ECONNREFUSED, EADDRINUSE, ECONNRESET, EPIPE].contains(failure?.errno.rawValue ?? 0), "\(failure!)")
        try nodes[0].send("still here")
        try maker.write("receive\n")
        #expect(try maker.line().hasSuffix("still here"))
        // Some leave, and there is room again.
        nodes.removeLast(2)
        try eventually("a node comes in") { (try? Node(connecting: poorPath)) != nil }
    }

    /// Each neighbour costs a receiver descriptors. One that has none for a newcomer is told so, instead of waiting for what it cannot hear.
    @Test func descriptorsForNewcomers() throws {
        let child = try poor("-n 32")
        func receive() throws -> String {
            try child.write("receive 1000\n")
            return try child.line()
        }
        try child.write("connect \(path) r\n")
        #expect(try child.line().hasPrefix("ok"))
        var nodes: [Node] = []
        var answer = ""
        while nodes.count < 20, !answer.hasPrefix("error") {
            nodes.append(try Node(connecting: path))
            try nodes[nodes.count - 1].send("hello")
            answer = try receive()
        }
        #expect(answer.hasPrefix("error \(EMFILE) \(path): no descriptor left for who has joined"), "\(answer)")
        #expect(try receive().hasPrefix("error \(EMFILE) "), "each time")
        try expectAlive()
    }

    @Test func addressSpace() throws {
        for mebibytes in stride(from: 40, through: 200, by: 20) { _ = try strive(poor("-v \(mebibytes * 1024)"), everything()) }
        try expectAlive()
    }

    /// As where the kernel promises no more memory than it has: see Tools/vm for that. From where such a process can just begin, in small steps.
    @Test func dataSize() throws {
        let words = ["connect \(path)", "send x", "receive 0", "close"]
        var (kibibytes, step, refused, worked) = (1024, 256, 0, 0)
        while worked < 3, kibibytes < 65536 {
            kibibytes += step
            guard let answers = try strive(poor("-d \(kibibytes)"), words) else { continue }
            if step > 64 {
                kibibytes -= step
                step = 64
                continue
            }
            if answers[0].hasPrefix("error \(ENOMEM) \(path): no memory left to join with") { refused += 1 }
            if answers.allSatisfy({ $0.hasPrefix("ok") }) { worked += 1 }
        }
        #expect(refused > 3 && worked == 3)
        try expectAlive()
    }

    /// A pool's tables are in memory of one's own, and their size is whoever made the network's choice.
    @Test func tablesOfAPool() throws {
        let vast = scratch("vast")
        let maker = try Node(
            binding: vast,
            options: .with {
                $0.mtu = 64 << 20; $0.poolSize = 65536
            }, directions: .receive)
        let answers = try #require(try strive(poor("-d \(32 << 10)"), ["connect \(vast) w", "send x", "close", "connect \(path)", "send y"]))
        #expect(answers[0].hasPrefix("ok") && answers[1].hasPrefix("error \(ENOMEM) \(vast): cannot make the memory to send from"), "\(answers)")
        #expect(answers[2...].allSatisfy { $0.hasPrefix("ok") }, "\(answers)")
        #expect(maker.numberOfNodes.readers == 1)
        try expectAlive()
    }

    /// A copy's size is its sender's choice. Who has no memory for it is told so, and can read it in place.
    @Test func copiesOfLongMessages() throws {
        let vast = scratch("vast")
        let sender = try Node(binding: vast, options: .with { $0.mtu = 16 << 20 })
        let child = try poor("-d \(12 << 10)")
        try child.write("connect \(vast) r\n")
        #expect(try child.line().hasPrefix("ok"))
        try sender.send(16 << 20) { $0.initializeMemory(as: UInt8.self, repeating: 7) }
        try child.write("receive 0\nreceive 0\nhold\nreceive 0\n")
        let result = try child.finish()
        let answers = result.text.split(separator: "\n")
        try #require(result.status == 0 && answers.count == 4, "\(result)")
        for answer in answers[..<2] { #expect(answer.hasPrefix("error \(ENOMEM) \(vast): no memory for a copy of a message of 16777216 bytes")) }
        #expect(answers[2] == "ok 0" && answers[3] == "ok none", "\(answers)")
    }

    /// ftruncate(2) beyond the limit is a signal, SIGXFSZ, unless somebody looks first.
    @Test func fileSize() throws {
        for kibibytes in [0, 1, 64, 4096, 8192, 1 << 20] {
            let answers = try #require(try strive(poor("-f \(kibibytes)"), everything() + ["bind \(scratch("own\(kibibytes)"))"]))
            if kibibytes <= 4096 { #expect(answers[0].hasPrefix("error \(EFBIG) \(path): "), "\(answers[0])") }
            // The keeper has the same limit, and says so to who makes the network, of which nothing is left.
            guard kibibytes <= 64 else { continue }
            let own = scratch("own\(kibibytes)")
            #expect(answers[6].hasPrefix("error \(EFBIG) \(own): what nodes share is larger"), "\(answers[6])")
            #expect(access(own, F_OK) != 0)
        }
        try expectAlive()
    }

    /// The kernel ends who goes over the limit of its group, whatever call it is in: so nobody does. What was sent is there, and what
    /// needs no more memory can still be sent.
    @Test(.enabled(if: MemoryGroup.canBeMade, "needs a control group of its own for memory"), arguments: [8, 24])
    func memoryOfAGroup(mebibytes: Int) throws {
        let group = try MemoryGroup(mebibytes: mebibytes)
        let other = scratch("other")
        let reader = try Node(
            binding: other,
            options: .with {
                $0.mtu = 1 << 20; $0.poolSize = 64
            }, directions: .receive)
        let child = try Child("/bin/bash", ["-c", "echo $$ > '\(group.members)' && exec \"$0\" peer", Child.built("TestPeer")])
        try child.write("connect \(other) w\nsend first\nsendn 60 1000000 1\nsend last\n")
        let result = try child.finish()
        let answers = result.text.split(separator: "\n")
        try #require(result.status == 0 && answers.count == 4, "\(result)")
        #expect(answers[0] == "ok 1 -w" && answers[1] == "ok" && answers[3] == "ok")
        #expect(
            answers[2].hasPrefix(
                "error \(ENOBUFS) \(other): no memory for another message: the control group \(group.path) allows \(mebibytes).0 MiB"))
        #expect(answers[2].contains("raise its memory."))
        try eventually("it is counted out") { reader.numberOfNodes.writers == 0 }
        let messages = try reader.drain()
        #expect(messages.map(\.sequence) == Array(0..<UInt64(messages.count)) && messages.allSatisfy { $0.lost == 0 })
        #expect(messages.count > 2 && messages[0].bytes == Array("first".utf8) && messages.last?.bytes == Array("last".utf8))
        #expect(messages.dropFirst().dropLast().allSatisfy { $0.bytes.count == 1_000_000 })
        try expectAlive()
    }

    @Test(.enabled(if: isRoot, "only root can mount"), arguments: ["size=4k,nr_inodes=2", "size=8k,nr_inodes=3", "size=4k,nr_inodes=4"])
    func roomForFiles(options: String) throws {
        let script = "mount -t tmpfs -o \(options) none \(scratch.path) && IPN_RUNTIME_ROOT=\(scratch.path) exec \"$0\" peer"
        let child = try Child("/usr/bin/unshare", ["-m", "/bin/bash", "-c", script, Child.built("TestPeer")])
        let answers = try #require(try strive(child, ["bind \(scratch("full"))", "connect -", "send x"]))
        #expect(answers[0].hasPrefix("error \(ENOSPC) \(scratch("full")): "), "\(answers[0])")
        try expectAlive()
    }
}

/// A control group with a limit on memory, of either version. Gone with this object.
private final class MemoryGroup {
    private static let versions = [(root: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes"), (root: "/sys/fs/cgroup", limit: "memory.max")]
    let path: String

    var members: String { "\(path)/cgroup.procs" }

    static var canBeMade: Bool { (try? MemoryGroup(mebibytes: 64)) != nil }

    init(mebibytes: Int) throws {
        for version in Self.versions {
            let path = "\(version.root)/ipn-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
            guard mkdir(path, 0o755) == 0 else { continue }
            let text = Array("\(mebibytes << 20)".utf8)
            let limit = open("\(path)/\(version.limit)", O_WRONLY | O_CLOEXEC)
            defer { close(limit) }
            if write(limit, text, text.count) == text.count {
                self.path = path
                return
            }
            rmdir(path)
        }
        throw Trouble("no control group for memory")
    }

    deinit {
        // A process that has just been ended may still be in it.
        var tries = 0
        while rmdir(path) != 0 && errno == EBUSY && tries < 1000 {
            usleep(1000)
            tries += 1
        }
    }
}
