import CLinux
import Glibc
import IPN
import IPNSystem
import Testing
import TestSupport

/// What is handed out stays its owner's to write, and nobody's to shrink.
@Suite struct MemoryTests {
    let scratch: Scratch
    let path: String

    init() throws {
        scratch = try Scratch()
        path = scratch("net")
    }

    @Test(.enabled(if: isRoot, "only root can start a process of another user"))
    func anotherUserCanOnlyRead() throws {
        let owner = try Peer(user: stranger + 1)
        chmod(scratch.path, 0o1777)
        try owner.expect("umask 0")
        try owner.expect("bind \(path) mode=0777")
        try owner.expect("connect -")
        try owner.expect("send x")
        let result = try Child.run(Child.built("TestPeer"), ["pry", "\(stranger)", path])
        #expect(result.status == 0, "\(result.errors)")
        // The owner's region and its pool.
        #expect(result.text == "memory sealed closed readonly\nmemory sealed closed readonly\n")
        // Who was there by hand, with a key that is none, holds nothing afterwards.
        let keeper = try KeeperProcess(of: path)
        owner.kill()
        try keeper.waitUntilGone()
    }

    @Test func memoryIsSealedAndItsModeIsShut() throws {
        for sealedAgainstMapping in [true, false] {
            let memory = try SharedMemory(name: "test", size: 8192, sealedAgainstMapping: sealedAgainstMapping)
            let raw = memory.descriptor.raw
            let seals = linux_fcntl(raw, F_GET_SEALS, 0)
            #expect(seals & F_SEAL_SHRINK != 0 && seals & F_SEAL_GROW != 0 && seals & F_SEAL_SEAL != 0)
            #expect(ftruncate(raw, 0) < 0 && Glibc.errno == EPERM)
            #expect(try memory.descriptor.status().mode & 0o777 == 0o400)
            let handle = try memory.readOnlyDescriptor()
            let handed = handle.raw
            #expect(Glibc.write(handed, "x", 1) < 0 && Glibc.errno == EBADF)
            #expect(try SharedMemory.sealedSize(of: handle) == 8192)
        }
    }

    /// A page of those that is not there, and of which none is left, is a signal for whoever looks.
    @Test func memoryOfHugePagesIsRefused() throws {
        // As in the kernel's memfd.h.
        let raw = memfd_create("huge", UInt32(MFD_CLOEXEC | MFD_ALLOW_SEALING) | 4)
        guard raw >= 0 else { return #expect(errno == ENOSYS || errno == EINVAL, "a kernel without them") }
        let descriptor = Descriptor(owning: raw)
        #expect(ftruncate(raw, 2 << 20) == 0 && linux_fcntl(raw, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0)
        #expect(throws: (any Error).self) { try SharedMemory.sealedSize(of: descriptor) }
    }

    @Test func unsealedMemoryIsRefused() throws {
        let raw = memfd_create("unsealed", UInt32(MFD_CLOEXEC | MFD_ALLOW_SEALING))
        let descriptor = Descriptor(owning: raw)
        #expect(throws: (any Error).self) { try SharedMemory.sealedSize(of: descriptor) }
        let file = try Descriptor.open("/dev/null", flags: O_RDONLY)
        #expect(throws: (any Error).self) { try SharedMemory.sealedSize(of: file) }
    }

    @Test func nothingLeaksOverManyLives() throws {
        let manager = Node()
        try manager.bind(path)
        func live() throws {
            let (writer, reader) = (try Node(connecting: path), try Node(connecting: path))
            try writer.send("x")
            _ = try reader.receive()
            _ = try reader.fileDescriptor()
        }
        let peer = try Peer()
        try peer.expect("bind \(path)")
        let before = peer.child.descriptors
        for _ in 0..<50 {
            try peer.expect("close")
            try peer.expect("bind \(path)")
            try peer.expect("connect -")
            try live()
            try peer.expect("receive 0")
            try peer.expect("send x")
        }
        try peer.expect("close")
        try peer.expect("bind \(path)")
        #expect(peer.child.descriptors == before)
        let keeper = try KeeperProcess(of: path)
        try eventually("the keeper has closed what the gone had") { keeper.descriptors <= 16 }
    }
}
