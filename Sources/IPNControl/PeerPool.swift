import CIPN
package import IPNRing
package import IPNSystem
package import SystemPackage

/// Another process's slot pool as it was handed to us, checked.
package final class PeerPool: @unchecked Sendable {
    // Sendable: all is constant after init; what the view points to is shared memory with rules of its own.
    private let mapping: Mapping
    package let view: PoolView

    private init(mapping: consuming Mapping, layout: PoolLayout) {
        view = PoolView(base: mapping.base, layout: layout)
        self.mapping = mapping
    }

    /// - Parameters:
    ///   - mtu: the network's, in bytes.
    ///   - nodeID: whose it has to be.
    /// - Throws: `EPERM` where it could shrink; `EINVAL` where it does not hold together.
    package static func check(_ descriptor: borrowing Descriptor, mtu: Int, nodeID: UInt64) throws(Errno) -> PeerPool {
        let size = try SharedMemory.sealedSize(of: descriptor)
        let mapping = try Mapping(descriptor: descriptor.raw, size: size, writable: false)
        guard size >= MemoryLayout<ipn_pool_header>.size,
            let layout = PoolLayout(
                checking: mapping.base.loadUnaligned(as: ipn_pool_header.self), mtu: mtu, nodeID: nodeID, mappedSize: size)
        else { throw Errno.invalidArgument }
        return PeerPool(mapping: mapping, layout: layout)
    }

    deinit {
        view.deallocate()
    }
}
