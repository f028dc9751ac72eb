import CIPN
import Glibc
import Testing
import TestSupport

/// SPEC 1: identity is the inode.
@Suite struct IdentityTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    @Test(arguments: Way.allCases) func symlinksAreFollowed(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        symlink(path, scratch("link"))
        try party.joins(1, scratch("link"))
        try party.does("send 0 - by link")
        #expect(try party("recv 1 - 10") == "ok 7 by link")
        try party.does("socket 2 34 3 1")
        #expect(try party("bind 2 \(scratch("link"))") == "ok")
        symlink(scratch("nowhere"), scratch("dangling"))
        try party.does("socket 3 34 3 1")
        #expect(try party("connect 3 \(scratch("dangling"))") == "ENOENT")
    }

    @Test(arguments: Way.allCases) func aRenameKeepsTheNetwork(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        rename(path, scratch("moved"))
        try party.joins(1, scratch("moved"))
        try party.does("send 0 - moved")
        #expect(try party("recv 1 - 10") == "ok 5 moved")
        try party.does("socket 2 34 3 1")
        #expect(try party("connect 2 \(path)") == "ENOENT")
    }

    /// Also to a name that is no text.
    @Test(arguments: Way.allCases) func aRenameToAnyBytesKeepsIt(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        let moved = Array(scratch("net").utf8CString.dropLast()) + [CChar(bitPattern: 0xe9), 0]
        #expect(rename(path, moved) == 0)
        #expect(try party("send 0 - x") == "ok 1")
        try party.does("close 0")
        try eventually("the file goes with it") { scratch.contents.isEmpty }
    }

    @Test(arguments: Way.allCases) func unlinkAndBindMakeASecond(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        try party.joins(1, path)
        unlink(path)
        try party.makes(2, path)
        try party.joins(3, path)
        try party.does("send 0 - first")
        try party.does("send 2 - second")
        #expect(try party("recv 1 - 10") == "ok 5 first")
        #expect(try party("recv 3 - 10") == "ok 6 second")
        #expect(try party("recv 1 d 10") == "EAGAIN")
        #expect(try party("recv 3 d 10") == "EAGAIN")
        try party.does("close 0")
        try party.does("close 1")
        #expect(exists(path), "the first takes nobody's file with it")
    }

    @Test(arguments: Way.allCases) func aHardLinkIsTheSameNetwork(way: Way) throws {
        let party = try Party(way)
        try party.makes(0, path)
        link(path, scratch("second"))
        try party.joins(1, scratch("second"))
        try party.does("send 1 - x")
        #expect(try party("recv 0 - 10") == "ok 1 x")
    }
}
