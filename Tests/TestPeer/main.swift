import CLinux
import Glibc
import IPN

// The other end of what tests do across processes:
//
//   TestPeer peer [UID]               a node that is told what to do, a line each (Conversation)
//   TestPeer as UID PROGRAM ARGS...   runs a program as that user
//   TestPeer pry UID PATH             what another user can do with the memory it is handed (Pry)
//   TestPeer rogue UID PATH HOW ...   what a client or member does that plays by no rule (Rogue)
let words = CommandLine.arguments
switch words.dropFirst().first {
case "peer":
    if words.count > 2 { become(words[2]) }
    Conversation().run()
case "as" where words.count > 3:
    // The program's file is opened first: the new user may have no way to it.
    let program = linux_open(words[3], O_PATH | O_CLOEXEC, 0)
    become(words[2])
    var arguments: [UnsafeMutablePointer<CChar>?] = words[3...].map { strdup($0) }
    arguments.append(nil)
    execve("/proc/self/fd/\(program)", arguments, Glibc.environ)
    fail("\(words[3]): \(String(cString: strerror(errno)))")
case "pry" where words.count == 4:
    become(words[2])
    do { try pry(words[3]) } catch { fail("\(error)") }
case "rogue" where words.count > 4:
    become(words[2])
    do {
        let rogue = try Rogue(words[3])
        try rogue.act(words[4], Array(words[5...]))
    } catch { fail("\(error)") }
default:
    fail("peer, as, pry or rogue")
}

func become(_ user: String) {
    guard let number = uid_t(user) else { fail("\(user) is no user") }
    if number == getuid() { return }
    guard setgroups(0, nil) == 0, setgid(number) == 0, setuid(number) == 0 else {
        fail("cannot become \(user): \(String(cString: strerror(errno)))")
    }
}

func fail(_ text: String) -> Never {
    let line = Array("TestPeer: \(text)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
    exit(120)
}
