import CLinux
import Glibc

/// A process that a test has started, with pipes to its standard streams. It dies with this object.
public final class Child: @unchecked Sendable {
    // Sendable: at most one thread writes while another reads; nothing is shared between the two.
    public let pid: Int32
    private var input: CInt
    private let output: CInt
    private let errors: CInt
    private var pending: [UInt8] = []
    private var status: CInt?

    /// Programs that were built beside the tests.
    public static func built(_ name: String) -> String {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let length = readlink("/proc/self/exe", &path, Int(PATH_MAX))
        let own = String(decoding: path[..<max(length, 0)].map(UInt8.init(bitPattern:)), as: UTF8.self)
        return "\(own[..<(own.lastIndex(of: "/") ?? own.startIndex)])/\(name)"
    }

    /// - Parameter user: whom to run as; needs root.
    public init(_ program: String, _ arguments: [String], user: UInt32? = nil) throws {
        var program = program
        var words = [program] + arguments
        if let user {
            // Opened by its way in, so that the other user needs no way to where it was built.
            words = [Self.built("TestPeer"), "as", "\(user)"] + words
            program = words[0]
        }
        let (inputRead, inputWrite) = try Self.makePipe()
        let (outputRead, outputWrite) = try Self.makePipe()
        let (errorsRead, errorsWrite) = try Self.makePipe()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, inputRead, 0)
        posix_spawn_file_actions_adddup2(&actions, outputWrite, 1)
        posix_spawn_file_actions_adddup2(&actions, errorsWrite, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        pointers.append(nil)
        var child: Int32 = -1
        let failure = posix_spawn(&child, program, &actions, &attributes, pointers, Glibc.environ)
        for pointer in pointers { free(pointer) }
        posix_spawn_file_actions_destroy(&actions)
        posix_spawnattr_destroy(&attributes)
        for end in [inputRead, outputWrite, errorsWrite] { _ = close(end) }
        pid = child
        input = inputWrite
        output = outputRead
        errors = errorsRead
        guard failure == 0 else { throw Trouble("\(program): \(String(cString: strerror(failure)))") }
    }

    deinit {
        if pid > 0 && status == nil {
            _ = Glibc.kill(pid, SIGKILL)
            _ = waitpid(pid, nil, 0)
        }
        endInput()
        _ = close(output)
        _ = close(errors)
    }

    private static func makePipe() throws -> (CInt, CInt) {
        var ends: [CInt] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC) == 0 else { throw Trouble("pipe: \(String(cString: strerror(errno)))") }
        return (ends[0], ends[1])
    }

    // MARK: Conversation

    /// To wait for what it says, beside other things.
    public var standardOutput: Int32 { output }

    public func write(_ bytes: [UInt8]) throws {
        var done = 0
        while done < bytes.count {
            let written = bytes[done...].withUnsafeBytes { writeOnce(input, $0.baseAddress!, $0.count) }
            guard written > 0 else { throw Trouble("the child does not read: \(String(cString: strerror(errno)))") }
            done += written
        }
    }

    public func write(_ text: String) throws { try write(Array(text.utf8)) }

    /// End of file for the child.
    public func endInput() {
        if input >= 0 { _ = close(input) }
        input = -1
    }

    /// The next line of its standard output.
    public func line() throws -> String {
        while true {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                defer { pending.removeFirst(end + 1) }
                return String(decoding: pending[..<end], as: UTF8.self)
            }
            guard isReadable(output, milliseconds: watchdogMilliseconds) else { throw Trouble("no line came") }
            var piece = [UInt8](repeating: 0, count: 1 << 16)
            let count = read(output, &piece, piece.count)
            guard count > 0 else { throw Trouble("the child has ended: \(String(decoding: pending, as: UTF8.self)) \(restOfErrors())") }
            pending += piece[..<count]
        }
    }

    private func restOfErrors() -> String {
        var piece = [UInt8](repeating: 0, count: 1 << 12)
        guard isReadable(errors, milliseconds: 100) else { return "" }
        return String(decoding: piece.prefix(max(read(errors, &piece, piece.count), 0)), as: UTF8.self)
    }

    // MARK: End

    public func signal(_ number: CInt) { _ = Glibc.kill(pid, number) }

    /// Kills it; returns once the kernel has torn it down.
    public func kill() {
        signal(SIGKILL)
        _ = try? wait()
    }

    /// Stops it; returns once it stands still.
    public func stop() {
        signal(SIGSTOP)
        var state: CInt = 0
        _ = waitpid(pid, &state, WUNTRACED)
    }

    public func resume() { signal(SIGCONT) }

    /// How many descriptors it has open.
    public var descriptors: Int { openDescriptors(of: pid) }

    /// Whether it has come to its end; it may not have been waited for.
    public var hasEnded: Bool {
        var information = siginfo_t()
        return status != nil || waitid(P_PID, id_t(pid), &information, WEXITED | WNOHANG | WNOWAIT) == 0 && information.si_signo != 0
    }

    /// Whether it sleeps, as /proc has it; processes have one thread that does all.
    public var isAsleep: Bool {
        let descriptor = linux_open("/proc/\(pid)/stat", O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return false }
        defer { _ = close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = max(read(descriptor, &bytes, bytes.count), 0)
        let text = String(decoding: bytes[..<count], as: UTF8.self)
        return text.split(separator: ")").last?.first(where: { $0 != " " }) == "S"
    }

    /// Waits for its end.
    /// - Returns: the exit status, or 128 and the signal's number.
    @discardableResult
    public func wait() throws -> CInt {
        if let status { return status }
        let process = linux_peer_pidfd(-1, pid)
        defer { _ = close(process) }
        guard isReadable(process, milliseconds: watchdogMilliseconds) else { throw Trouble("the child does not end") }
        var state: CInt = 0
        _ = waitpid(pid, &state, 0)
        let result = state & 0x7f == 0 ? (state >> 8) & 0xff : 128 + (state & 0x7f)
        status = result
        return result
    }

    /// What a process that has come to its end leaves behind.
    public struct Result: Sendable {
        public let status: CInt
        public let output: [UInt8]
        public let errors: String
        public var text: String { String(decoding: output, as: UTF8.self) }
        /// Its lines on standard error.
        public var complaints: [Substring] { errors.split(separator: "\n") }
    }

    /// Ends its input, and reads all that it writes, until it ends.
    public func finish() throws -> Result {
        endInput()
        var out = pending
        var err: [UInt8] = []
        var open = [output, errors]
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while !open.isEmpty {
            var set = open.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&set, nfds_t(set.count), watchdogMilliseconds) > 0 else {
                throw Trouble("the child does not end; it has said: \(String(decoding: out.suffix(2000) + err.suffix(2000), as: UTF8.self))")
            }
            for entry in set where entry.revents != 0 {
                let count = read(entry.fd, &piece, piece.count)
                if count <= 0 { open.removeAll { $0 == entry.fd } }
                if count > 0 && entry.fd == output { out += piece[..<count] }
                if count > 0 && entry.fd == errors { err += piece[..<count] }
            }
        }
        return Result(status: try wait(), output: out, errors: String(decoding: err, as: UTF8.self))
    }

    /// Runs a program to its end.
    public static func run(
        _ program: String, _ arguments: [String], input: [UInt8] = [], user: UInt32? = nil
    ) throws -> Result {
        let child = try Child(program, arguments, user: user)
        if !input.isEmpty { try child.write(input) }
        return try child.finish()
    }
}

/// write(2) without SIGPIPE's say: tests ignore it.
private func writeOnce(_ descriptor: CInt, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
    signal(SIGPIPE, SIG_IGN)
    return Glibc.write(descriptor, bytes, count)
}

public func openDescriptors(of pid: Int32) -> Int { Scratch.list("/proc/\(pid)/fd").count }

/// Memory that a process has, as proc_pid_statm(5) counts it.
public func residentBytes(of pid: Int32) -> Int {
    let descriptor = linux_open("/proc/\(pid)/statm", O_RDONLY | O_CLOEXEC, 0)
    guard descriptor >= 0 else { return 0 }
    defer { _ = close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = max(read(descriptor, &bytes, bytes.count), 0)
    let words = String(decoding: bytes[..<count], as: UTF8.self).split(separator: " ")
    return (words.count > 1 ? Int(words[1]) ?? 0 : 0) * sysconf(CInt(_SC_PAGESIZE))
}
