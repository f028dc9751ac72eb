import CLinux
import Glibc
import IPNSystem
import SystemPackage
import Testing
import TestSupport

@testable import IPN

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

    @Test func aFolderForDoorsThatIsMissingIsNamed() throws {
        let result = try Child.run("/usr/bin/env", ["IPN_RUNTIME_ROOT=\(scratch("none"))", Child.built("ipn"), "create", scratch("net")])
        #expect(result.status != 0 && result.complaints.count == 1 && result.errors.contains(scratch("none")))
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

    /// What a dead keeper has left, or the owner has put there, is no door.
    @Test func aDoorThatNobodyOpensHidesNobody() throws {
        let path = scratch("net")
        let environment = ["IPN_RUNTIME_ROOT=\(scratch.path)"]
        let (root, owner) = (try Peer(environment: environment), try Peer(user: stranger, environment: environment))
        try root.expect("bind \(path)")
        let name = try #require(Scratch.list(scratch(".ipn-0")).first { $0 != "lock" })
        let folder = scratch(".ipn-\(stranger)")
        try #require(mkdir(folder, 0o711) == 0 && mkdir("\(folder)/\(name)", 0o711) == 0)
        try #require(chown(folder, stranger, stranger) == 0 && chown(path, stranger, stranger) == 0)
        try owner.expect("connect \(path)")
        try #require(rmdir("\(folder)/\(name)") == 0 && rmdir(folder) == 0)
    }

    /// From one user to another: who made it still keeps it, and the new owner manages it.
    @Test(.enabled(if: KernelAbilities.namesMakersOfSockets, "the kernel names no makers of sockets (CONFIG_UNIX_DIAG)"))
    func whatAUserMadeAndRootGaveAwayIsReached() throws {
        let path = scratch("net")
        let (maker, owner, third) = (try Peer(user: stranger), try Peer(user: stranger + 1), try Peer(user: stranger + 2))
        chmod(scratch.path, 0o777)
        try maker.expect("bind \(path)")
        try maker.expect("connect -")
        try #require(chown(path, stranger + 1, stranger + 1) == 0 && chmod(path, 0o740) == 0)
        #expect(try third.ask("connect \(path)").hasPrefix("error \(EACCES) "))
        try owner.expect("bind \(path)")
        #expect(try owner.expect("connect -") == "1 rw")
        try owner.expect("send mine")
        #expect(try maker.ask("receive").hasSuffix(" mine"), "who is in stays in")
        #expect(try Peer(user: stranger).ask("connect \(path)").hasPrefix("error \(EACCES) "), "it is another's now")
        // Then who owns it, or root, makes it another keeper, with a door of his own.
        for next in [stranger + 1, 0] {
            if next == 0 { owner.kill() }
            let root = next == 0 ? try Peer() : nil
            try root?.expect("connect \(path)")
            try KeeperProcess(of: path).kill()
            try eventually("another keeper") { (try? Peer(user: stranger + 1).ask("connect \(path)").hasPrefix("ok")) == true }
            #expect(try KeeperProcess(of: path).rendezvous.contains("/.ipn-\(next)"))
        }
    }

    /// Who did not make it may have a door of that name, and is not asked.
    @Test(.enabled(if: KernelAbilities.namesMakersOfSockets, "the kernel names no makers of sockets (CONFIG_UNIX_DIAG)"))
    func whoDidNotMakeItDoesNotKeepIt() throws {
        let path = scratch("net")
        chmod(scratch.path, 0o777)
        let maker = try Peer(user: stranger)
        try maker.expect("bind \(path)")
        try #require(chown(path, stranger + 1, stranger + 1) == 0)
        let keeper = try KeeperProcess(of: path)
        let name = try #require(keeper.rendezvous.split(separator: "/").last)
        // The same keeper, behind a third user's door.
        let folder = "/tmp/.ipn-\(stranger + 2)"
        let isNew = mkdir(folder, 0o711) == 0
        defer { if isNew { rmdir(folder) } }
        try #require(chown(folder, stranger + 2, stranger + 2) == 0 && rename(keeper.rendezvous, "\(folder)/\(name)") == 0)
        #expect(try Peer(user: stranger + 1).ask("connect \(path)").hasPrefix("error \(EADDRINUSE) "))
        try #require(rename("\(folder)/\(name)", keeper.rendezvous) == 0)
        try Peer(user: stranger + 1).expect("connect \(path)")
    }

    /// In a user namespace whoever it does not know has one and the same number, and could be anybody.
    @Test(.enabled(if: KernelAbilities.makesUserNamespaces, "no user namespaces here"))
    func whoHasNoNumberOfHisOwnKeepsNothing() throws {
        let path = scratch("net")
        chmod(scratch.path, 0o777)
        let environment = ["IPN_RUNTIME_ROOT=\(scratch.path)"]
        let maker = try Peer(user: stranger, environment: environment)
        try maker.expect("bind \(path)")
        chmod(path, 0o777)
        try Peer(environment: environment).expect("connect \(path)")
        // To those inside, this user's folder.
        let folder = scratch(".ipn-65534")
        try #require(rename(scratch(".ipn-\(stranger)"), folder) == 0)
        let inside = try Child("/usr/bin/env", environment + ["unshare", "-Ur", Child.built("TestPeer"), "peer"])
        try inside.write("connect \(path)\n")
        #expect(try inside.line().hasPrefix("error \(EADDRINUSE) "))
        try #require(rename(folder, scratch(".ipn-\(stranger)")) == 0)
    }

    /// A handle that is passed on says where its keeper is met: anybody can have named it.
    @Test func whoStandsBehindANamedDoorIsNotWaitedForLong() throws {
        let door = scratch("door")
        let listener = Descriptor(owning: socket(AF_UNIX, CInt(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0))
        _ = try withSocketAddress(door) { address, length in linux_bind(listener.raw, address, length) }
        try #require(listen(listener.raw, 1) == 0)
        let handle = Descriptor(owning: socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
        let name = Array("\(Handle.prefix)\(door):1".utf8)
        try #require(name.withUnsafeBytes { linux_bind_abstract(handle.raw, $0.baseAddress, name.count) } == 0)
        // The second time nobody takes it from the queue.
        for _ in 0..<3 {
            var error: Errno?
            do throws(Errno) { _ = try Attachment.claim(handle) } catch let refusal { error = refusal }
            #expect(error?.rawValue == ENOTCONN)
        }
    }
}
