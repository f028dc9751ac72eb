import CIPN
import CLinux
import Glibc
import IPNControl
import IPNKeeper
import IPNSystem
import SystemPackage

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

/// Takes over what we were given. Where that cannot be, a network that nobody has yet is taken back, and whoever makes it is told why.
func begin(at rendezvous: String, limits: UserLimits, will: CInt?) throws -> Keeper {
    let file = Descriptor(owning: 4)
    let present = try file.duplicate()
    let first = Descriptor(owning: 6)
    let maker = ControlSocket(PacketSocket(owning: try first.duplicate()))
    do throws(Errno) {
        return try Keeper(
            marker: Descriptor(owning: 3), markerPath: file, listener: Descriptor(owning: 5), rendezvous: rendezvous, first: first,
            limits: limits, will: will.map { Descriptor(owning: $0) })
    } catch {
        _ = unlink(rendezvous)
        // Members who have elected us look for another keeper, whatever hinders this one.
        guard will == nil else { throw error }
        present.unlinkCurrentName()
        var answer = ipn_answer()
        answer.error = error.rawValue
        try? maker.send(answer, items: [Never]())
        throw error
    }
}

// Before anything else is opened: a will is the one that may be there or not.
let will: CInt? = fcntl(7, F_GETFD) >= 0 ? 7 : nil
do {
    let interruption = try Interruption()
    // Who makes a network has looked at them; who only goes on with one may have others in its environment.
    let limits = (try? UserLimits.fromEnvironment()) ?? UserLimits()
    try begin(at: CommandLine.arguments[2], limits: limits, will: will).run(interruption)
    linux_tell_no_crash()
} catch {
    complain("\(CommandLine.arguments[1]): \(error)")
    exit(1)
}
