/// An address as it may be shown: without a password.
package struct LoggedAddress: CustomStringConvertible {
    package let description: String

    package init(_ address: String) {
        let parts = address.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].hasSuffix(":"), parts[1].isEmpty,
            let at = parts[2].prefix(while: { $0 != "/" }).lastIndex(of: "@"),
            let colon = parts[2][..<at].firstIndex(of: ":")
        else {
            description = address
            return
        }
        description = address[...colon] + "***" + address[at...]
    }
}
