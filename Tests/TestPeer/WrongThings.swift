import CLinux
import Glibc
import IPNRing
import IPNSystem
import SystemPackage
import TestSupport

/// Descriptors that a keeper is not to take for what it asked for.
struct WrongThings: ~Copyable {
    /// All that a node hands in, as it should be.
    let right: [CInt]
    /// In place of that.
    let lists: [[CInt]]
    /// In place of a pool.
    let noPools: [CInt]
    /// Memory whose size can be changed.
    let unsealed: CInt
    private let handle: Handle
    private let clapper: Descriptor
    private let small: SharedMemory
    private let region: SharedMemory
    private let bell: Bell
    private let file: Descriptor

    init(_ client: Rogue) throws {
        let handle = try Handle()
        try handle.name(rendezvous: client.door)
        let clapper = try handle.clapper()
        var pipes: [CInt] = [-1, -1]
        guard pipe2(&pipes, O_CLOEXEC) == 0 else { throw Trouble("pipe") }
        let unsealed = memfd_create("unsealed", UInt32(MFD_CLOEXEC | MFD_ALLOW_SEALING))
        _ = ftruncate(unsealed, off_t(NodeRegion.size))
        let small = try SharedMemory(name: "small", size: 4096, sealedAgainstMapping: false)
        let region = try SharedMemory(name: "region", size: NodeRegion.size, sealedAgainstMapping: true)
        let bell = try Bell()
        let file = try Descriptor.open("/dev/null", flags: O_RDWR)
        let (good, ring, strike, own) = (region.descriptor.raw, bell.descriptor.raw, clapper.raw, handle.descriptor.raw)
        right = [good, ring, ring, strike, own]
        lists = [
            [], [good], [good, ring], [good, ring, ring], [unsealed, ring, ring, strike, own],
            [small.descriptor.raw, ring, ring, strike, own],
            // Who rings a full pipe waits for its reader.
            [good, pipes[1], pipes[1], strike, own], [good, ring, ring, pipes[1], own], [good, ring, ring, file.raw],
            [good, file.raw, ring, strike, own], [ring, good, ring, strike, own], [CInt](repeating: client.marker.raw, count: 5),
            [CInt](repeating: ring, count: 60),
        ]
        noPools = [unsealed, small.descriptor.raw, bell.descriptor.raw, file.raw, pipes[0]]
        self.unsealed = unsealed
        self.handle = handle
        self.clapper = clapper
        self.small = small
        self.region = region
        self.bell = bell
        self.file = file
    }
}
