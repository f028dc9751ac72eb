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
    @Option(name: .customLong("protocol"), help: "The number of an installed policy, or 1: everybody receives.")
    var protocolNumber = NetworkOptions().protocolNumber

    func run() throws {
        let node = Node()
        var options = network.options
        options.isPersistent = true
        options.policy = policy
        options.protocolNumber = protocolNumber
        try making { try node.bind(path, options: options) }
        guard node.madeNetwork else {
            throw IPNError(.fileExists, path, "a network is here already", remedy: "ipn remove it first, or take another path")
        }
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
        // A network must be there: bind would make one.
        let status = try NetworkStatus(of: path)
        let node = Node()
        // Whatever protocol it speaks.
        var options = NetworkOptions()
        options.protocolNumber = 0
        try node.bind(path, options: options)
        try node.setPersistent(false)
        if !status.nodes.isEmpty {
            let count = status.nodes.count == 1 ? "1 node is" : "\(status.nodes.count) nodes are"
            let line = Array("ipn: \(path): \(count) still on it; it ends with the last\n".utf8)
            _ = write(STDERR_FILENO, line, line.count)
        }
        node.close()
        if status.nodes.isEmpty { waitUntilGone() }
    }

    /// The keeper removes the file when it goes: what comes after this command finds none.
    private func waitUntilGone() {
        while (try? NetworkStatus(of: path)) != nil { usleep(1000) }
    }
}
