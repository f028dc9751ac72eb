package import SystemPackage
import CLinux
import Glibc

/// Something that one thread tells another of the same process, who waits for it in poll(2) beside other things. See eventfd(2).
///
/// Nobody else holds it; between processes there is `Bell`.
package struct EventCounter: ~Copyable, Sendable {
    /// Readable once it was raised, until it is cleared.
    package let descriptor: Descriptor

    package init() throws(Errno) {
        descriptor = Descriptor(owning: try systemCall { eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK)) })
    }

    package borrowing func raise() { _ = eventfd_write(descriptor.raw, 1) }

    package borrowing func clear() {
        var count: eventfd_t = 0
        _ = eventfd_read(descriptor.raw, &count)
    }
}
