import CIPN
import Glibc
import Testing
import TestSupport

/// SPEC 1: who may do what, for real users. CI runs as root, who alone can become one.
@Suite(.enabled(if: isRoot, "only root can become other users"))
struct RightsTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
        chmod(scratch.path, 0o777)
    }

    enum Relation: CaseIterable {
        case owner, group, supplementary, other

        var shift: UInt32 { self == .owner ? 6 : self == .other ? 0 : 3 }

        func party(_ way: Way) throws -> Party {
            switch self {
            case .owner: try Party(way, user: User.owner)
            case .group: try Party(way, user: User.group)
            case .supplementary: try Party(way, user: User.member, groups: [User.group])
            case .other: try Party(way, user: User.other)
            }
        }
    }

    /// Each of r, w and x alone and together, for each relation, while the others have all the rest.
    @Test(arguments: Way.allCases, Relation.allCases) func nineBits(way: Way, relation: Relation) throws {
        let founder = try Party(way, user: User.owner)
        try founder.does("umask 0")
        try founder.makes(0, path)
        chown(path, User.owner, User.group)
        let party = try relation.party(way)
        for bits in UInt32(0)...7 {
            chmod(path, (0o777 & ~(7 << relation.shift)) | bits << relation.shift)
            let slot = Int(bits)
            try party.does("socket \(slot) 34 3 1")
            let (r, w, x) = (bits & 4 != 0, bits & 2 != 0, bits & 1 != 0)
            #expect(try party("bind \(slot) \(path)") == (x ? "ok" : "EPERM"), "\(bits)")
            guard r || w else {
                #expect(try party("connect \(slot) \(x ? "-" : path)") == "EACCES", "\(bits)")
                continue
            }
            #expect(try party("connect \(slot) \(x ? "-" : path)") == "ok", "\(bits)")
            #expect(try party("send \(slot) - up") == (w ? "ok 2" : "EPIPE"), "\(bits)")
            if w { #expect(try founder("recv 0 - 10") == "ok 2 up", "\(bits)") }
            try founder.does("send 0 - down")
            #expect(try party("recv \(slot) \(r ? "-" : "d") 10") == (r ? "ok 4 down" : "ok 0"), "\(bits)")
            try party.does("close \(slot)")
        }
    }

    @Test(arguments: Way.allCases) func missingRightsAreORedWithWhatWasShutDown(way: Way) throws {
        let founder = try Party(way)
        try founder.makes(0, path)
        chmod(path, 0o774)
        let party = try Party(way, user: User.other)
        try party.does("socket 0 34 3 1")
        try party.does("shutdown 0 0")
        #expect(try party("connect 0 \(path)") == "EACCES", "r is shut down, w is missing")
        try party.does("socket 1 34 3 1")
        try party.does("shutdown 1 1")
        #expect(try party("connect 1 \(path)") == "ok")
    }

    @Test(arguments: Way.allCases) func observersNeedOneBitAndTakeNoPort(way: Way) throws {
        let founder = try Party(way)
        try founder.makes(0, path)
        let party = try Party(way, user: User.other)
        for bits in [UInt32(0), 1] {
            chmod(path, 0o770 | bits)
            try party.does("socket 0 34 3 1")
            #expect(try party("set 0 0 \(IPN_SO_HANDLE_OOB) 1") == "ok")
            #expect(try party("set 0 0 \(IPN_SO_WANT_OOB_NUMNODES) 1") == "ok")
            #expect(try party("connect 0 \(path)") == (bits == 0 ? "EACCES" : "ok"))
        }
        #expect(try party("get 0 0 \(IPN_SO_PORT) 4") == "ok -1")
        #expect(try party("recvmsg 0 - 100") == "ok 16 oob 0:0 1/1")
        #expect(try party("send 0 - x") == "EPIPE")
    }

    @Test(arguments: Way.allCases) func rootNeedsOneExecuteBitAndNoOther(way: Way) throws {
        let founder = try Party(way, user: User.owner)
        try founder.makes(0, path)
        chmod(path, 0)
        let root = try Party(way)
        try root.does("socket 0 34 3 1")
        #expect(try root("bind 0 \(path)") == "EPERM")
        #expect(try root("connect 0 \(path)") == "ok")
        try founder.does("send 0 - to root")
        #expect(try root("recv 0 - 10") == "ok 7 to root")
        #expect(try root("send 0 - x") == "ok 1")
        for bit in [UInt32(0o100), 0o010, 0o001] {
            chmod(path, bit)
            try root.does("socket 1 34 3 1")
            #expect(try root("bind 1 \(path)") == "ok")
        }
    }

    @Test(arguments: Way.allCases) func chmodAndChownCountForTheNext(way: Way) throws {
        let founder = try Party(way)
        try founder.makes(0, path)
        chmod(path, 0o700)
        let party = try Party(way, user: User.member, groups: [User.group])
        try party.does("socket 0 34 3 1")
        #expect(try party("connect 0 \(path)") == "EACCES")
        chmod(path, 0o760)
        #expect(try party("connect 0 \(path)") == "EACCES")
        chown(path, 0, User.group)
        #expect(try party("connect 0 \(path)") == "ok")
        chmod(path, 0o700)
        #expect(try party("send 0 - in") == "ok 2", "whoever is in stays in")
        #expect(try founder("recv 0 - 10") == "ok 2 in")
        try party.does("socket 1 34 3 1")
        #expect(try party("bind 1 \(path)") == "EPERM")
        chmod(path, 0o710)
        #expect(try party("bind 1 \(path)") == "ok")
    }

    @Test(arguments: Way.allCases) func aFolderThatIsClosedClosesTheNetwork(way: Way) throws {
        let founder = try Party(way)
        try founder.makes(0, path)
        let party = try Party(way, user: User.other)
        try party.does("socket 0 34 3 1")
        chmod(scratch.path, 0o700)
        #expect(try party("connect 0 \(path)") == "EACCES")
        #expect(try party("bind 0 \(path)") == "EACCES")
        chmod(scratch.path, 0o755)
        #expect(try party("connect 0 \(path)") == "ok")
        #expect(try party("bind 0 \(path)") == "EISCONN")
    }
}
