import CLinux
import Glibc
package import SystemPackage

/// Looks whether this process could have so much memory of its own, before it is asked for by ways that end the process where
/// there is none: Swift's. Cold paths only; a microsecond or two.
///
/// - Throws: `ENOMEM`: the kernel promises no more (vm.overcommit_memory=2), or a limit is met (ulimit -v, -d).
package func requireMemory(_ bytes: Int) throws(Errno) {
    guard linux_find_room(bytes) == 0 else { throw Errno(rawValue: ENOMEM) }
}
