import CLinux
import Glibc

/// An environment variable, unless the program runs with raised rights (AT_SECURE, see getauxval(3)).
package func trustedEnvironment(_ name: String) -> String? {
    guard !hasRaisedRights, let value = getenv(name) else { return nil }
    return String(cString: value)
}

/// Whether the program has rights that who started it has not: then its environment is a stranger's.
package var hasRaisedRights: Bool { getauxval(UInt(AT_SECURE)) != 0 }
