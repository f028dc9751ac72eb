import Foundation
import Glibc
import Testing
import TestSupport

/// create, show, remove: a network that stays until it is removed, and nothing after that.
@Suite struct CreateTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    /// What `ipn show --json` prints.
    private func json(_ path: String) throws -> [String: Any] {
        let output = try Tool.succeed(["show", path, "--json"]).output
        return try #require(try JSONSerialization.jsonObject(with: Data(output)) as? [String: Any])
    }

    @Test func itStaysUntilItIsRemovedAndLeavesNothing() throws {
        try Tool.succeed(["create", path])
        let keeper = try KeeperProcess(of: path)
        #expect(keeper.isListening)
        try Tool.succeed(["show", path])
        try Tool.succeed(["remove", path])
        #expect(!exists(path), "gone when the command is")
        try keeper.waitUntilGone()
        #expect(!keeper.isListening && scratch.contents.isEmpty)
    }

    @Test func optionsAreWhatWasAskedFor() throws {
        try Tool.succeed(["create", path, "--mtu", "64K", "--pool", "5", "--nodes", "9", "--history", "3", "--lossless", "--mode", "750"])
        let shown = try json(path)
        #expect(shown["protocol"] as? Int == 1)
        #expect(shown["mtu"] as? Int == 65_536 && shown["pool"] as? Int == 5 && shown["nodeLimit"] as? Int == 9)
        #expect(shown["history"] as? Int == 3 && shown["lossless"] as? Bool == true && shown["persistent"] as? Bool == true)
        #expect(shown["mode"] as? String == "750" && shown["owner"] as? Int == Int(geteuid()))
        let text = try Tool.succeed(["show", path]).text
        for word in [path, "lossless", "mtu 65536", "pool 5", "history 3", "mode 750", "persistent", "0 of 9 nodes"] {
            #expect(text.contains(word))
        }
        try Tool.succeed(["remove", path])
    }

    @Test func theDefaultIsForItsOwnerAlone() throws {
        try Tool.succeed(["create", path])
        #expect(try json(path)["mode"] as? String == "700")
        try Tool.succeed(["remove", path])
    }

    @Test func unitsArePowersOf1024() throws {
        for (text, bytes) in [("1", 1), ("2k", 2048), ("3M", 3 << 20), ("1G", 1 << 30)] {
            try Tool.succeed(["create", scratch(text), "--mtu", text])
            #expect(try json(scratch(text))["mtu"] as? Int == bytes)
            try Tool.succeed(["remove", scratch(text)])
        }
    }

    @Test func whoIsThereIsShown() throws {
        try Tool.succeed(["create", path])
        let peer = try Peer()
        try peer.expect("connect \(path)")
        try peer.expect("describe a camera")
        for _ in 0..<3 { try peer.expect("send x") }
        let shown = try json(path)
        #expect(shown["readers"] as? Int == 1 && shown["writers"] as? Int == 1 && shown["messages"] as? Int == 3)
        let node = try #require((shown["nodes"] as? [[String: Any]])?.first)
        #expect(node["description"] as? String == "a camera" && node["pid"] as? Int == Int(peer.child.pid))
        #expect(node["port"] as? Int == 0 && node["sent"] as? Int == 3 && node["uid"] as? Int == Int(geteuid()))
        let text = try Tool.succeed(["show", path]).text
        #expect(text.contains("a camera") && text.contains("\(peer.child.pid)") && text.contains("rw"))

        let keeper = try KeeperProcess(of: path)
        let removed = try Tool.run(["remove", path])
        #expect(removed.status == 0 && removed.complaints == ["ipn: \(path): 1 node is still on it; it ends with the last"])
        #expect(keeper.isRunning)
        peer.kill()
        try keeper.waitUntilGone()
        #expect(!exists(path))
    }

    @Test func whatIsThereIsNotMadeAgain() throws {
        try Tool.succeed(["create", path, "--mtu", "77"])
        let again = try Tool.run(["create", path, "--mtu", "99"])
        #expect(again.status == 1 && again.complaints.count == 1 && again.errors.contains("already"))
        #expect(try json(path)["mtu"] as? Int == 77)
        try Tool.succeed(["remove", path])
    }

    @Test func aCrashOfTheKeeperIsMendedByTheNextCreate() throws {
        try Tool.succeed(["create", path])
        try KeeperProcess(of: path).kill()
        let shown = try Tool.run(["show", path])
        #expect(shown.status == 3 && shown.complaints.count == 1)
        try Tool.succeed(["create", path, "--mtu", "88"])
        #expect(try json(path)["mtu"] as? Int == 88)
        try Tool.succeed(["remove", path])
        #expect(scratch.contents.isEmpty)
    }
}
