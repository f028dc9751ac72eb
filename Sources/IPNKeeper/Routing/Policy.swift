import CIPN
import CLinux
import Glibc
import IPNSystem
import SystemPackage

/// Why a policy was not taken, for the program that wanted it.
struct PolicyRefusal: Error {
    let errno: Errno
    /// One line, without the object's path: only the program knows it.
    let text: String
}

extension Errno {
    /// What a policy says is wrong. `EIO` where it says what no system would: programs would be told of an unknown error.
    /// - Parameter result: a negative errno, one hopes.
    init(ofPolicy result: CInt) {
        self = result > -4096 && String(cString: linux_errno_name(-result)) != "?" ? Errno(rawValue: -result) : .ioError
    }
}

/// A policy's table, from a shared object that was loaded into this keeper and checked. See ipn_policy.h.
///
/// The object is never unloaded: the process ends with its network.
struct Policy {
    let table: ipn_policy
    let name: String
    let newport: @convention(c) (UnsafeMutablePointer<ipn_policy_network>?, UnsafePointer<ipn_policy_node>?) -> CInt
    let handlemsg: @convention(c) (UnsafeMutablePointer<ipn_policy_network>?, CInt, UnsafeMutablePointer<ipn_policy_message>?) -> CInt

    private static let symbol = "ipn_policy_entry"

    /// Loads a shared object through its descriptor: whatever happens to its path meanwhile, it is the one that its user
    /// could open.
    ///
    /// - Throws: `ENOEXEC` for what is no policy, `EPROTONOSUPPORT` for one of another version.
    init(loading object: CInt) throws(PolicyRefusal) {
        guard let handle = dlopen("/proc/self/fd/\(object)", RTLD_NOW | RTLD_LOCAL) else {
            throw PolicyRefusal(errno: .execFormatError, text: "it cannot be loaded: \(Self.linkerComplaint(object))")
        }
        guard let entry = dlsym(handle, Self.symbol) else {
            throw PolicyRefusal(errno: .execFormatError, text: "it is no policy: it exports no \(Self.symbol) (see ipn_policy.h)")
        }
        try self.init(checking: entry)
    }

    /// - Parameter entry: at least the first two words of a table.
    init(checking entry: UnsafeRawPointer) throws(PolicyRefusal) {
        // Version first: nothing behind it means anything in another one. Then the size.
        let version = entry.loadUnaligned(as: UInt32.self)
        guard version == IPN_POLICY_VERSION else {
            throw PolicyRefusal(
                errno: Errno(rawValue: EPROTONOSUPPORT),
                text:
                    "it was made for version \(version) of the policy interface, and the keeper speaks version \(IPN_POLICY_VERSION): compile it again"
            )
        }
        let size = entry.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
        guard Int(size) >= MemoryLayout<ipn_policy>.size else {
            throw PolicyRefusal(
                errno: .execFormatError,
                text: "its table says \(size) bytes, and version \(version) has \(MemoryLayout<ipn_policy>.size): fill in sizeof(struct ipn_policy)")
        }
        table = entry.loadUnaligned(as: ipn_policy.self)
        guard table.protocol > UInt32(IPN_BROADCAST) else {
            throw PolicyRefusal(
                errno: Errno(rawValue: EADDRINUSE), text: "it registers protocol \(table.protocol), which is taken: 2 and more are free")
        }
        guard let newport = table.newport, let handlemsg = table.handlemsg else {
            throw PolicyRefusal(
                errno: .execFormatError, text: "it has no \(table.newport == nil ? "newport" : "handlemsg"), which every policy needs")
        }
        self.newport = newport
        self.handlemsg = handlemsg
        name = table.name.map { String(cString: $0) } ?? "\(table.protocol)"
    }

    /// What the dynamic linker says, without the number that stands for the path here.
    private static func linkerComplaint(_ raw: CInt) -> String {
        guard let words = dlerror() else { return "the dynamic linker does not say why" }
        let text = String(cString: words)
        let prefix = "/proc/self/fd/\(raw): "
        return text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
    }
}
