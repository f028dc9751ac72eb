import CLinux
import Glibc

// A party of the conformance suite over `Node`: the words and answers of Tests/Programs/Party, as far as Swift has what they
// are about. What it has not (types and families of sockets, options after the fact, short buffers) answers `n/a`.
var limit = rlimit()
getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
limit.rlim_cur = limit.rlim_max  // for hundreds of nodes
setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
let party = Conversation()

/// As readLine(), which a signal (`interrupt`) between two lines would leave without the next.
func nextLine() -> String? {
    var line: [UInt8] = []
    var byte: UInt8 = 0
    while true {
        let count = read(STDIN_FILENO, &byte, 1)
        if count < 0 && errno == EINTR { continue }
        guard count == 1 else { return nil }
        if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
        line.append(byte)
    }
}

while let line = nextLine() {
    let answer = Array((party.perform(line) + "\n").utf8)
    _ = write(STDOUT_FILENO, answer, answer.count)
}
