import Glibc
import IPN
import Testing
import TestSupport

/// One kernel, one view of the file system: where a file is not the same for everybody, there is no network.
@Suite(.enabled(if: isRoot, "only root can mount")) struct FileSystemTests {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        for name in ["lower", "upper", "work", "view"] { try #require(mkdir(scratch(name), 0o755) == 0) }
    }

    /// A peer that has `scratch("view")` mounted, in a mount namespace of its own.
    private func peer(mounting command: String, before: String = "") throws -> Child {
        try Child(
            "/usr/bin/unshare",
            ["-m", "/bin/bash", "-c", "cd '\(scratch.path)'; \(command) || exit 1; \(before) exec \"$0\" peer", Child.built("TestPeer")])
    }

    private var overlay: String { "mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work none view" }

    private func say(_ words: [String], to child: Child) throws -> [String] {
        try child.write(words.map { "\($0)\n" }.joined())
        let result = try child.finish()
        try #require(result.status == 0, "\(result.errors)")
        return result.text.split(separator: "\n").map(String.init)
    }

    /// Seen through an overlay, a network that lives in the layer below seems to have been left by a crash.
    @Test func whatLivesElsewhereIsNotTakenOverThroughAnOverlay() throws {
        let below = scratch("lower/net")
        let node = try Node(binding: below)
        let (seen, own) = (scratch("view/net"), scratch("view/own"))
        let answers = try say(["bind \(seen)", "connect \(seen)", "bind \(own)", "connect -", "send x"], to: peer(mounting: overlay))
        #expect(answers[0].hasPrefix("error \(EADDRINUSE) \(seen): seen through an overlay, and not made here"), "\(answers[0])")
        #expect(answers[1].hasPrefix("error \(ECONNREFUSED) \(seen): "), "\(answers[1])")
        #expect(answers[2...].allSatisfy { $0.hasPrefix("ok") }, "a network of the view's own: \(answers)")
        try eventually("nothing was put in the other's place: \(Scratch.list(scratch("upper")))") { Scratch.list(scratch("upper")).isEmpty }
        try Node(connecting: below).send("undisturbed")
        #expect(try node.receive()?.bytes == Array("undisturbed".utf8))
        clearLayers()
    }

    /// What was made in the view itself, by parties that all were killed, is taken over as everywhere.
    @Test func whatACrashLeftInAnOverlayIsTakenOver() throws {
        let own = scratch("view/own")
        let crash = """
            mkfifo input; "$0" peer <input >answer & member=$!; exec 9>input
            echo "bind \(own)" >&9
            until [ -s answer ]; do sleep 0.01; done
            kill -STOP $member; kill -KILL $(pgrep -f "^[^ ]*ipnd \(own)"); kill -KILL $member; wait 2>/dev/null; exec 9>&-
            """
        let answers = try say(["bind \(own)", "connect -", "close"], to: peer(mounting: overlay, before: crash + "\n"))
        #expect(answers[0] == "ok made" && answers[1].hasPrefix("ok"), "\(answers)")
        clearLayers()
    }

    /// As on NFS: bindfs is a file system of FUSE, whose files other machines may have too.
    @Test func whereOtherMachinesMayBeIsNoNetwork() throws {
        let below = scratch("lower/net")
        let node = try Node(binding: below)
        let answers = try say(
            ["bind \(scratch("view/own"))", "bind \(scratch("view/net"))", "connect \(scratch("view/net"))"],
            to: peer(mounting: "bindfs lower view"))
        try #require(answers.count == 3)
        for answer in answers { #expect(answer.hasPrefix("error \(EOPNOTSUPP) \(scratch("view/"))"), "\(answer)") }
        #expect(Scratch.list(scratch("lower")) == ["net"])
        #expect(node.numberOfNodes.readers == 1)
        node.close()
        clearLayers()
    }

    /// What `Scratch` does not remove: folders, and what an overlay keeps in them.
    private func clearLayers() {
        _ = try? Child("/bin/rm", ["-rf"] + ["lower", "upper", "work", "view"].map { scratch($0) }).finish()
    }
}
