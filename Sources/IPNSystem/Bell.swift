package import SystemPackage
import CLinux
import Glibc

/// A way to wake one sleeper: an eventfd that pollers see as readable once it was rung. See eventfd(2).
package struct Bell: ~Copyable, Sendable {
    package let descriptor: Descriptor

    package init() throws(Errno) {
        descriptor = Descriptor(owning: try systemCall { eventfd(0, CInt(EFD_NONBLOCK | EFD_CLOEXEC)) })
    }

    package init(owning descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    /// RT safe: one system call that cannot block. A bell that cannot take another stroke has been rung.
    @inline(__always)
    package borrowing func ring() {
        Bell.ring(descriptor.raw)
    }

    @inline(__always)
    package static func ring(_ raw: CInt) {
        _ = eventfd_write(raw, 1)
    }

    /// Takes the strokes back; the bell is silent until it is rung again.
    package static func silence(_ raw: CInt) {
        var strokes: eventfd_t = 0
        _ = eventfd_read(raw, &strokes)
    }
}
