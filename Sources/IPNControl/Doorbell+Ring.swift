import CIPN
package import IPNRing
import IPNSystem

extension Doorbell {
    /// Wakes the node, where it wants to be woken. RT safe: one system call that cannot block.
    /// - Parameter word: its `armed` or `waiting`.
    @inline(__always)
    package func ring(_ word: UInt64) {
        if word & UInt64(IPN_POLLS) == 0 { Bell.ring(bell) } else { Handle.strike(clapper, key) }
    }
}
