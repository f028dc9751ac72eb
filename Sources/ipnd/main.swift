import Glibc
import IPNControl
import IPNKeeper
import IPNSystem

// Started by the first bind of a network with the descriptors below, and gone with its last node. Nobody runs it by
// hand: without the descriptors there is no network to keep.
func complain(_ text: String) {
    let line = Array("ipnd: \(text)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
}

guard CommandLine.arguments.count == 3, fcntl(3, F_GETFD) >= 0, fcntl(6, F_GETFD) >= 0 else {
    complain("keeps one IPN network; it is started by the program that makes the network (see ipn create)")
    exit(2)
}
// Before anything else is opened: a will is the one that may be there or not.
let will: CInt? = fcntl(7, F_GETFD) >= 0 ? 7 : nil
do {
    let interruption = try Interruption()
    let keeper = try Keeper(
        marker: Descriptor(owning: 3), markerPath: Descriptor(owning: 4), listener: Descriptor(owning: 5),
        rendezvous: CommandLine.arguments[2], first: Descriptor(owning: 6), limits: try UserLimits.fromEnvironment(),
        will: will.map { Descriptor(owning: $0) })
    try keeper.run(interruption)
} catch {
    complain("\(CommandLine.arguments[1]): \(error)")
    exit(1)
}
