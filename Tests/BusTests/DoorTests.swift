import Glibc
import IPN
import Testing
import TestSupport

/// Where a network's keeper is found: in a folder that is the owner's, in a place where strangers may make folders too.
@Suite(.enabled(if: isRoot, "only root can be two users")) struct DoorTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// The tool, with folders for keepers' doors in the scratch directory.
    private func ipn(_ words: String...) throws -> Child.Result {
        try Child.run(
            "/bin/sh", ["-c", "export IPN_RUNTIME_ROOT='\(scratch.path)'; tool=$0; exec \"$tool\" \"$@\"", Child.built("ipn")] + words)
    }

    @Test func aStrangerWhoTakesAndFreesTheNameCutsNobodyOff() throws {
        let taken = scratch(".ipn-0")
        try #require(mkdir(taken, 0o755) == 0 && chown(taken, stranger, stranger) == 0)
        let path = scratch("net")
        #expect(try ipn("create", path).status == 0)
        #expect(try ipn("show", path).status == 0)
        try #require(rmdir(taken) == 0)
        #expect(try ipn("show", path).status == 0, "it is still where it was")
        #expect(try ipn("create", scratch("other")).status == 0)
        #expect(Scratch.list(taken).isEmpty, "there is one folder, also for what comes later")
        for name in ["net", "other"] { #expect(try ipn("remove", scratch(name)).status == 0) }
        for name in Scratch.list(scratch(".ipn-0.1")) { unlink(scratch(".ipn-0.1/\(name)")) }
        try #require(rmdir(scratch(".ipn-0.1")) == 0)
    }

    @Test func whatRootHasGivenAwayIsReached() throws {
        let path = scratch("net")
        let node = try Node(binding: path)
        try #require(chown(path, stranger, stranger) == 0)
        let (owner, root) = (try Peer(user: stranger), try Peer())
        try owner.expect("bind \(path)")
        #expect(try owner.expect("connect -") == "1 rw")
        try root.expect("connect \(path)")
        try owner.expect("send mine")
        #expect(try #require(try node.receive()).bytes == Array("mine".utf8))
        #expect(try root.ask("receive").hasSuffix(" mine"))
    }
}
