import CLinux
import Glibc
package import IPNSystem
package import SystemPackage

/// What the file system of a marker is to a network: whoever sees the file has to be on this kernel, and to see that very file.
/// See statfs(2).
package enum FileSystem {
    case local
    /// Other machines may see the same file, and this kernel does not know who of them holds it.
    case shared
    /// A view of what lies elsewhere, where the same file has another identity: a socket that lives there seems dead from here. See
    /// the kernel's filesystems/overlayfs.
    case overlay

    package init(of file: borrowing Descriptor) {
        switch linux_file_system(file.raw) {
        case 0x794c_7630: self = .overlay
        case let type where Self.sharedTypes.contains(type): self = .shared
        default: self = .local
        }
    }

    /// - Throws: `EOPNOTSUPP` where a network would be other machines' too.
    package func requireOneKernel() throws(Errno) {
        if case .shared = self { throw Errno.notSupportedOnSocket }
    }

    /// `f_type` of what serves several machines. FUSE is among them, for nothing tells sshfs or virtiofs from what is local.
    private static let sharedTypes: Set<UInt64> = [
        0x6969,  // NFS
        0x517b, 0xff53_4d42, 0xfe53_4d42,  // SMB
        0x6573_5546,  // FUSE
        0x0102_1997,  // 9P
        0x00c3_6400,  // Ceph
        0x5346_414f, 0x6b41_4653,  // AFS
        0x7375_7245,  // Coda
        0x0116_1970,  // GFS2
        0x7461_636f,  // OCFS2
        0x0bd0_0bd0,  // Lustre
        0x2003_0528,  // OrangeFS
        0x786f_4256, 0xbacb_acbc,  // folders of a virtual machine's host
    ]
}
