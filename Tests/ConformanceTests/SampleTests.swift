import Testing
import TestSupport

/// What the programs of 2008 looked like, run as they are. They know no header of ours.
@Suite struct SampleTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    private func start(_ family: Int, _ role: String) throws -> Child {
        let child = try Child(Child.built("ipn"), ["run", "--", Child.built("Samples2008"), "\(family)", role, path])
        #expect(try child.line() == "ready")
        return child
    }

    @Test(arguments: [34, 33, 13]) func peers(family: Int) throws {
        let peers = try (0..<3).map { _ in try start(family, "peer") }
        for (index, peer) in peers.enumerated() {
            try peer.write("from \(index)\n")
            for (other, listener) in peers.enumerated() where other != index { #expect(try listener.line() == "from \(index)") }
        }
    }

    @Test(arguments: [34, 33, 13]) func senderAndReceivers(family: Int) throws {
        let sender = try start(family, "sender")
        let receivers = try (0..<3).map { _ in try start(family, "receiver") }
        for number in 0..<5 {
            try sender.write("\(number)\n")
            for receiver in receivers { #expect(try receiver.line() == "\(number)") }
        }
        try receivers[0].write("not allowed\n")
        let result = try receivers[0].finish()
        #expect(result.status == 1 && result.errors == "write: Broken pipe\n", "an errno and no signal")
        #expect(try sender.finish().status == 0)
    }

    @Test func withoutTheBusTheyFail() throws {
        let result = try Child.run(Child.built("Samples2008"), ["34", "peer", path])
        #expect(result.status == 1 && result.errors.hasPrefix("socket: "))
    }
}
