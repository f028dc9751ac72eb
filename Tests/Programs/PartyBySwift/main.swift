import CLinux
import Glibc

// A party of the conformance suite over `Node`: the words and answers of Tests/Programs/Party, as far as Swift has what they
// are about. What it has not (types and families of sockets, options after the fact, short buffers) answers `n/a`.
var limit = rlimit()
getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
limit.rlim_cur = limit.rlim_max  // for hundreds of nodes
setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
let party = Conversation()
while let line = readLine() {
    let answer = Array((party.perform(line) + "\n").utf8)
    _ = write(STDOUT_FILENO, answer, answer.count)
}
