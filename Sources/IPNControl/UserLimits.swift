import Glibc

/// How much of a network one user may take, so that whoever may join it cannot fill it for the others.
///
/// They bind neither root nor the network's owner, whose network it is. Whoever makes the network decides, by the
/// environment that its keeper inherits.
package struct UserLimits: Equatable, Sendable {
    /// Nodes at a time; nil for half of what the network takes.
    package var nodes: Int?
    /// Bytes of memory that the user's nodes share with the network, those included who left with unread messages.
    package var memory: Int

    package static let nodesVariable = "IPN_USER_NODES"
    package static let memoryVariable = "IPN_USER_MEMORY"

    /// Half of the network's nodes, a quarter of the machine's memory.
    package init() {
        nodes = nil
        memory = max(sysconf(CInt(_SC_PHYS_PAGES)) * sysconf(CInt(_SC_PAGESIZE)) / 4, 1 << 26)
    }

    /// A variable of the environment that is no number.
    package struct Malformed: Error {
        package let variable: String
        package let value: String
        package let remedy: String
    }

    /// What the environment says; the defaults where it says nothing.
    package static func fromEnvironment() throws(Malformed) -> UserLimits {
        var limits = UserLimits()
        if let value = trustedEnvironment(nodesVariable) {
            guard let number = Int(value), number > 0 else {
                throw Malformed(variable: nodesVariable, value: value, remedy: "a number of nodes, 1 or more")
            }
            limits.nodes = number
        }
        if let value = trustedEnvironment(memoryVariable) {
            guard let number = bytes(value) else {
                throw Malformed(variable: memoryVariable, value: value, remedy: "a number of bytes, as 64M or 2G")
            }
            limits.memory = number
        }
        return limits
    }

    /// `1000`, `64K`, `4M`, `2G`; powers of 1024.
    private static func bytes(_ text: String) -> Int? {
        let shifts: [Character: Int] = ["K": 10, "M": 20, "G": 30]
        let shift = text.last.flatMap { shifts[$0] }
        guard let number = Int(shift == nil ? text[...] : text.dropLast()), number > 0 else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: 1 << (shift ?? 0))
        return overflow ? nil : product
    }

    /// The most nodes of a user at a time on a network of `nodeLimit`.
    package func nodes(of nodeLimit: Int) -> Int { nodes ?? max(nodeLimit / 2, 1) }
}
