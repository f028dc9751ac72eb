import CLinux
import Glibc
import IPN
import Testing
import TestSupport

/// A keeper that is asked to stop does, and leaves the network as a killed one would, but no door behind it.
@Suite struct KeeperSignalTests {
    @Test(arguments: [SIGTERM, SIGINT, SIGHUP]) func nodesGoOnAndNoDoorIsLeft(signal: CInt) throws {
        let scratch = try Scratch()
        let path = scratch("net")
        let (one, other) = (try Node(binding: path), try Node(connecting: path))
        try one.send("before")
        #expect(try other.receive() != nil)
        let keeper = try KeeperProcess(of: path)
        #expect(exists(keeper.rendezvous))
        kill(keeper.pid, signal)
        try keeper.waitUntilGone()
        #expect(!keeper.isListening, "the next keeper's door is its own")
        try one.send("after")
        #expect(try other.receive()?.bytes == Array("after".utf8))
        #expect(exists(path), "its nodes are still there")
    }
}
