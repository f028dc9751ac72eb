import CLinux
import Glibc

/// An environment variable, unless the program runs with raised rights (AT_SECURE, see getauxval(3)).
package func trustedEnvironment(_ name: String) -> String? {
    guard getauxval(UInt(AT_SECURE)) == 0, let value = getenv(name) else { return nil }
    return String(cString: value)
}
