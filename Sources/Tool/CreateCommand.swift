import ArgumentParser
import Glibc
import IPN
import SystemPackage

struct CreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a network that persists until it is removed.",
        discussion: """
            EXAMPLES
              ipn create /tmp/chat
              ipn create /tmp/net --mtu 4M --pool 16 --lossless --mode 750
              ipn create /tmp/net --policy ./libhub.so      messages go where the policy says (ipn_policy.h)
            """)

    @Argument(help: "Where: a path that does not exist yet.", completion: .file())
    var path: String
    @OptionGroup var network: NetworkArguments
    @Option(help: "A shared object that decides who receives what; it runs as this user.", completion: .file(extensions: ["so"]))
    var policy: String?
    @Option(name: .customLong("protocol"), help: "The number of an installed policy, or 1: everybody receives (default: 1, or the policy's).")
    var protocolNumber: Int?

    func run() throws {
        if let policy, let protocolNumber, protocolNumber <= 1 {
            throw Failure("--protocol \(protocolNumber): the network's protocol is that of \(policy): name only one of the two", status: .usage)
        }
        var options = network.options
        options.policy = policy
        if let protocolNumber { options.protocolNumber = protocolNumber }
        _ = try making(at: path) { try Network.create(at: path, options: options) }
    }
}

struct RemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "End a network that persists.",
        discussion: """
            Whoever is on it may stay; the network ends with the last of them.

            EXAMPLES
              ipn remove /tmp/net
            """)

    @Argument(help: "The network.", completion: .file())
    var path: String

    func run() throws {
        let left = try Network(at: path).remove()
        guard left > 0 else { return }
        let line = Array("ipn: \(path): \(left == 1 ? "1 node is" : "\(left) nodes are") still on it; it ends with the last\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
    }
}
