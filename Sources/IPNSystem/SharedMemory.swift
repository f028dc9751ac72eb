package import SystemPackage
import CLinux
import Glibc

/// Memory that one process writes and others map read-only: a memfd, sealed against shrinking.
///
/// A memfd's mode is 0777 at birth, and whoever holds a read-only descriptor could reopen it for writing through
/// /proc; so the mode goes to 0400 before any descriptor leaves the process. See memfd_create(2), fcntl(2).
package struct SharedMemory: ~Copyable {
    package let descriptor: Descriptor
    package let mapping: Mapping

    /// - Parameters:
    ///   - size: bytes; sparse, so only what is touched is paid for.
    ///   - sealedAgainstMapping: also `F_SEAL_FUTURE_WRITE`, for a region that never gives pages back.
    /// - Throws: `ENOMEM`, `EMFILE`, `ENFILE`; `EFBIG` over the limit on a file's size.
    package init(name: String, size: Int, sealedAgainstMapping: Bool) throws(Errno) {
        let descriptor = Descriptor(owning: try systemCall { memfd_create(name, UInt32(MFD_CLOEXEC | MFD_ALLOW_SEALING)) })
        let raw = descriptor.raw
        _ = try systemCall { fchmod(raw, 0o400) }
        // Over the limit it would be a signal, SIGXFSZ. See setrlimit(2).
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0, rlim_t(size) > limit.rlim_cur { throw Errno.fileTooLarge }
        _ = try systemCall { ftruncate(raw, off_t(size)) }
        let mapping = try Mapping(descriptor: raw, size: size, writable: true)
        var seals = F_SEAL_SHRINK | F_SEAL_GROW
        if sealedAgainstMapping { seals |= Self.sealFutureWrite }
        seals |= F_SEAL_SEAL
        _ = try systemCall { linux_fcntl(raw, F_ADD_SEALS, seals) }
        self.descriptor = descriptor
        self.mapping = mapping
    }

    /// A read-only descriptor of the same memory: the only kind that is ever handed out.
    package borrowing func readOnlyDescriptor() throws(Errno) -> Descriptor { try Self.readOnlyDescriptor(of: descriptor.raw) }

    /// The same of memory that is known by its descriptor.
    package static func readOnlyDescriptor(of raw: CInt) throws(Errno) -> Descriptor {
        try Descriptor.open("/proc/self/fd/\(raw)", flags: O_RDONLY)
    }

    /// Pays for a range now, so that touching it later cannot be refused. See fallocate(2).
    /// - Throws: `ENOSPC` or `ENOMEM` where memory is exhausted, or as much as a control group allows.
    package borrowing func commit(_ range: Range<Int>) throws(Errno) {
        try SharedAllowance.take(range.count)
        let raw = descriptor.raw
        _ = try systemCall { fallocate(raw, 0, off_t(range.lowerBound), off_t(range.count)) }
    }

    /// Gives a range back; it reads as zeros from now on.
    package borrowing func discard(_ range: Range<Int>) { Self.discard(range, of: descriptor.raw) }

    /// The same of memory that is known by its descriptor.
    package static func discard(_ range: Range<Int>, of raw: CInt) {
        _ = fallocate(raw, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off_t(range.lowerBound), off_t(range.count))
    }

    /// What memfd_create(2) makes without `MFD_HUGETLB`. See statfs(2).
    private static let tmpfs: UInt64 = 0x0102_1994
    // Newer than the C library's header on some systems.
    private static let sealFutureWrite: CInt = 0x0010

    /// Checks that another process's memory cannot shrink under us, and tells its size.
    ///
    /// - Throws: `EPERM` where it is unsealed, or no memfd at all, or one of huge pages: a page of those that is not there, and of which
    ///   none is left, is a signal for whoever looks.
    package static func sealedSize(of descriptor: borrowing Descriptor) throws(Errno) -> Int {
        let raw = descriptor.raw
        let seals = linux_fcntl(raw, F_GET_SEALS, 0)
        guard seals >= 0, seals & F_SEAL_SHRINK != 0, linux_file_system(raw) == tmpfs else { throw Errno.notPermitted }
        return Int(try descriptor.status().size)
    }
}

/// A range of mapped memory with one owner, unmapped when it goes. Left out of core dumps: it is a neighbour's.
package struct Mapping: ~Copyable, @unchecked Sendable {
    // Sendable: a mapping is an address and a size, both constant; who touches what is the records' affair.
    package let base: UnsafeMutableRawPointer
    package let size: Int

    package init(descriptor: CInt, size: Int, writable: Bool) throws(Errno) {
        let protection = writable ? PROT_READ | PROT_WRITE : PROT_READ
        guard size > 0 else { throw Errno.invalidArgument }
        guard let base = linux_map_shared(descriptor, size, protection) else { throw Errno(rawValue: linux_errno()) }
        _ = madvise(base, size, MADV_DONTDUMP)
        self.base = base
        self.size = size
    }

    /// Puts other memory in this one's place, at the same address and for everybody who looks there: in one step.
    package borrowing func replace(by descriptor: CInt) throws(Errno) {
        guard linux_map_over(base, descriptor, size) == 0 else { throw Errno(rawValue: linux_errno()) }
        _ = madvise(base, size, MADV_DONTDUMP)
    }

    deinit {
        _ = munmap(base, size)
    }
}
