import Glibc
import IPNSystem
import Media

/// A command line in which something opens doors, for a child: everybody on the machine can read the arguments of a process, and a
/// pipe only who has it.
package final class HiddenWords {
    /// Where the child finds them.
    static let descriptor: CInt = 4
    private static let sign = "--words-descriptor"
    /// What the child is started with instead.
    let shown: [String]
    private let pipe: Descriptor
    var descriptor: CInt { pipe.raw }

    /// - Returns: nil where there is nothing to hide.
    init?(_ words: [String]) throws(MediaError) {
        let shown = words.map { "\(LoggedAddress($0))" }
        guard shown != words else { return nil }
        var ends: [CInt] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { throw Self.failure(errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        let bytes = words.map { Array($0.utf8) + [0] }.joined()
        // An empty pipe takes all of it at once, or refuses.
        let count = Array(bytes).withUnsafeBytes { write(ends[1], $0.baseAddress, $0.count) }
        let error = errno
        close(ends[1])
        pipe = Descriptor(owning: ends[0])
        self.shown = shown + [Self.sign, "\(Self.descriptor)"]
        guard count == bytes.count else { throw Self.failure(count < 0 ? error : E2BIG) }
    }

    /// What this process was to be told, instead of `arguments`; nil where those are meant as they are.
    package static func read(insteadOf arguments: [String]) -> [String]? {
        guard arguments.suffix(2) == [sign, "\(descriptor)"] else { return nil }
        var (words, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 65_536))
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            words += buffer[..<count]
        }
        close(descriptor)
        return words.split(separator: 0, omittingEmptySubsequences: false).dropLast().map { String(decoding: $0, as: UTF8.self) }
    }

    private static func failure(_ error: CInt) -> MediaError {
        MediaError(.cannotOpen, object: "ipn", what: "cannot start another process", cause: String(cString: strerror(error)))
    }
}
