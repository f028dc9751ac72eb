import Glibc
import IPNSystem

/// Where policies are registered: a shared object for each protocol number, as `N.so`.
package enum PolicyFolder {
    /// The environment variable that names another folder. Ignored in programs with raised rights.
    static let variable = "IPN_POLICIES"

    /// The folder that was named, or those where programs are installed.
    package static var candidates: [String] {
        if let named = trustedEnvironment(variable) { return [named] }
        return ["/usr/local/lib/ipn/policies", "/usr/lib/ipn/policies"] + (programFolder().map { ["\($0)/../lib/ipn/policies"] } ?? [])
    }

    /// The object that is registered for a protocol.
    package static func path(of number: Int) -> String? {
        candidates.map { "\($0)/\(number).so" }.first { access($0, R_OK) == 0 }
    }

    /// What another object is registered as for the protocol, if one is.
    /// - Parameter object: a descriptor of the object that wants the number.
    package static func rival(of object: CInt, for number: Int) -> String? {
        guard let registered = path(of: number), let one = try? FileStatus(path: registered), let own = try? FileStatus(descriptor: object)
        else { return nil }
        return one.isSameFile(as: own) ? nil : registered
    }
}
